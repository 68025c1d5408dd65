//! Everyday words of four to six letters that no keyboard corrects and that no two ears confuse.

/// Words to draw from: 128, so that each carries seven bits.
pub(super) const WORDS: [&str; 128] = [
    "apple", "autumn", "badge", "bakery", "barrel", "basket", "beach", "berry", "bicycle", "blanket",
    "bottle", "branch", "brick", "bridge", "bronze", "bucket", "butter", "button", "cabin", "camera",
    "candle", "canvas", "carpet", "castle", "cherry", "circle", "clock", "cloud", "coffee", "copper",
    "corner", "cotton", "cradle", "crystal", "curtain", "desert", "dinner", "dragon", "drawer", "eagle",
    "engine", "fabric", "feather", "fence", "ferry", "finger", "flower", "forest", "fossil", "garden",
    "garlic", "ginger", "glass", "glove", "grape", "gravel", "guitar", "hammer", "hostel", "helmet", "honey",
    "island", "jacket", "jungle", "kettle", "kitchen", "ladder", "lantern", "leather", "lemon", "letter",
    "linen", "magnet", "maple", "marble", "market", "meadow", "melon", "mirror", "morning", "mustard",
    "needle", "orange", "orchard", "oven", "paddle", "paper", "parrot", "pebble", "pencil", "pepper",
    "piano", "pillow", "planet", "pocket", "potato", "pumpkin", "rabbit", "radio", "ribbon", "river",
    "rocket", "saddle", "salad", "school", "shadow", "silver", "spider", "spoon", "spring", "station",
    "stone", "summer", "table", "temple", "ticket", "timber", "tomato", "tower", "tractor", "tunnel",
    "turtle", "valley", "velvet", "violin", "walnut", "window", "winter",
];
