//! Property lists: what packed messages hold, and the binary form in which they are handed on, so that
//! nobody behind this layer needs to know the packing.

/// A value of a property list.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A truth.
    Truth(bool),
    /// A number.
    Number(i128),
    /// Bytes.
    Data(Vec<u8>),
    /// Text.
    Text(String),
    /// Values.
    Array(Vec<Value>),
    /// Keys and values, in order.
    Dictionary(Vec<(Value, Value)>),
}

impl Value {
    /// The binary form (`bplist00`), with references of two bytes.
    pub fn to_binary(&self) -> Vec<u8> {
        let mut objects = Vec::new();
        lay_out(self, &mut objects);
        let mut file = b"bplist00".to_vec();
        let mut offsets = Vec::new();
        for object in &objects {
            offsets.push(file.len() as u32);
            file.extend_from_slice(object);
        }
        let table = file.len() as u64;
        offsets.iter().for_each(|o| file.extend(o.to_be_bytes()));
        file.extend([0, 0, 0, 0, 0, 0, 4, 2]);
        file.extend((objects.len() as u64).to_be_bytes());
        file.extend(0u64.to_be_bytes());
        file.extend(table.to_be_bytes());
        file
    }
}

/// Puts a value and what it holds into the list of objects; its place. Places beyond two bytes would need
/// more objects than a message can hold.
fn lay_out(value: &Value, objects: &mut Vec<Vec<u8>>) -> u16 {
    let place = objects.len();
    objects.push(Vec::new());
    let mut bytes = Vec::new();
    match value {
        Value::Truth(truth) => bytes.push(if *truth { 9 } else { 8 }),
        Value::Number(n) => number(*n, &mut bytes),
        Value::Data(data) => {
            head(0x40, data.len(), &mut bytes);
            bytes.extend_from_slice(data);
        }
        Value::Text(text) if text.is_ascii() => {
            head(0x50, text.len(), &mut bytes);
            bytes.extend_from_slice(text.as_bytes());
        }
        Value::Text(text) => {
            let units: Vec<u16> = text.encode_utf16().collect();
            head(0x60, units.len(), &mut bytes);
            units.iter().for_each(|u| bytes.extend(u.to_be_bytes()));
        }
        Value::Array(values) => {
            head(0xa0, values.len(), &mut bytes);
            for value in values {
                bytes.extend(lay_out(value, objects).to_be_bytes());
            }
        }
        Value::Dictionary(pairs) => {
            head(0xd0, pairs.len(), &mut bytes);
            for (key, _) in pairs {
                bytes.extend(lay_out(key, objects).to_be_bytes());
            }
            for (_, value) in pairs {
                bytes.extend(lay_out(value, objects).to_be_bytes());
            }
        }
    }
    if let Some(object) = objects.get_mut(place) {
        *object = bytes;
    }
    u16::try_from(place).unwrap_or(u16::MAX)
}

fn head(kind: u8, count: usize, bytes: &mut Vec<u8>) {
    match u8::try_from(count) {
        Ok(n) if n < 15 => bytes.push(kind | n),
        _ => {
            bytes.push(kind | 15);
            number(count as i128, bytes);
        }
    }
}

fn number(n: i128, bytes: &mut Vec<u8>) {
    match (u8::try_from(n), u32::try_from(n), i64::try_from(n)) {
        (Ok(n), _, _) => bytes.extend([0x10, n]),
        (_, Ok(n), _) => {
            bytes.push(0x12);
            bytes.extend(n.to_be_bytes());
        }
        (_, _, Ok(n)) => {
            bytes.push(0x13);
            bytes.extend(n.to_be_bytes());
        }
        _ => {
            bytes.push(0x14);
            bytes.extend(n.to_be_bytes());
        }
    }
}
