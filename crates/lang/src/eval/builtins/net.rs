//! IPv4 and IPv6 addresses and networks, MAC addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sha2::{Digest, Sha256};

use crate::eval::value::Value;

use super::{Args, Cx, Done, Fault, wrong, wrong_help};

/// An address with a prefix length. Addresses are numbers of `bits` bits.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Net {
    address: u128,
    prefix: u32,
    bits: u32,
}

impl Net {
    fn host_bits(self) -> u32 {
        self.bits - self.prefix
    }

    /// The bits of hosts, all set.
    fn host_mask(self) -> u128 {
        match self.host_bits() {
            0 => 0,
            bits => u128::MAX >> (128 - bits),
        }
    }

    fn first(self) -> u128 {
        self.address & !self.host_mask()
    }

    fn last(self) -> u128 {
        self.address | self.host_mask()
    }

    fn show(self, address: u128) -> String {
        show(address, self.bits)
    }
}

fn show(address: u128, bits: u32) -> String {
    if bits == 32 { Ipv4Addr::from(address as u32).to_string() } else { Ipv6Addr::from(address).to_string() }
}

/// An address as a number, and how many bits it has.
fn number(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)), 32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    }
}

fn parse_address(text: &str) -> Option<(u128, u32)> {
    text.parse().ok().map(number)
}

/// `10.0.0.0/8`, with or without bits of a host.
fn parse_network(text: &str) -> Option<Net> {
    let (address, prefix) = text.split_once('/')?;
    let (address, bits) = parse_address(address)?;
    let plain = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit());
    let canonical = plain && (prefix == "0" || !prefix.starts_with('0'));
    let prefix: u32 = prefix.parse().ok().filter(|p| canonical && *p <= bits)?;
    Some(Net { address, prefix, bits })
}

fn network_at(args: Args<'_>, at: usize) -> Result<Net, Fault> {
    let text = args.str(at)?;
    match parse_network(text) {
        Some(net) => Ok(net),
        None => wrong_help(
            format!("`{text}` is no network"),
            "write an address and a prefix length: `10.0.0.0/8`",
        ),
    }
}

fn address_at(args: Args<'_>, at: usize) -> Result<(u128, u32), Fault> {
    let text = args.str(at)?;
    match parse_address(text) {
        Some(address) => Ok(address),
        None => wrong(format!("`{text}` is no IPv4 or IPv6 address")),
    }
}

pub(super) fn is_ip(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::Bool(parse_address(args.str(0)?).is_some()))
}

pub(super) fn is_ipv4(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::Bool(parse_address(args.str(0)?).is_some_and(|(_, bits)| bits == 32)))
}

pub(super) fn is_ipv6(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::Bool(parse_address(args.str(0)?).is_some_and(|(_, bits)| bits == 128)))
}

pub(super) fn is_network(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::Bool(parse_network(args.str(0)?).is_some_and(|net| net.first() == net.address)))
}

pub(super) fn network(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let net = network_at(args, 0)?;
    cx.string(format!("{}/{}", net.show(net.first()), net.prefix))
}

pub(super) fn network_address(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let net = network_at(args, 0)?;
    cx.string(net.show(net.first()))
}

pub(super) fn broadcast(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let net = network_at(args, 0)?;
    cx.string(net.show(net.last()))
}

pub(super) fn netmask(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let net = network_at(args, 0)?;
    let all = u128::MAX >> (128 - net.bits);
    cx.string(net.show(all & !net.host_mask()))
}

pub(super) fn prefix_length(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::Int(i64::from(network_at(args, 0)?.prefix)))
}

pub(super) fn hosts(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let net = network_at(args, 0)?;
    // A network of one or two addresses has no address of its own (RFC 3021, RFC 6164); IPv6 has
    // no broadcast, and its first address is that of any router (RFC 4291).
    let small = net.host_bits() <= 1;
    let first = if small { net.first() } else { net.first() + 1 };
    let last = if small || net.bits == 128 { net.last() } else { net.last() - 1 };
    let count = usize::try_from(last - first).unwrap_or(usize::MAX).saturating_add(1);
    cx.charge(count, count.saturating_mul(size_of::<Value>() + 16))?;
    Ok(Value::List((first..=last).map(|a| Value::Str(net.show(a).into())).collect()))
}

/// The number of something of which there are `count`, from the end if it is negative.
fn position(index: i64, count: Option<u128>, what: &str) -> Result<u128, Fault> {
    let found = match (u128::try_from(index), count) {
        (Ok(index), count) => Some(index).filter(|i| count.is_none_or(|count| *i < count)),
        // All of the numbers of IPv6 are one more than the type holds: wrap around.
        (Err(_), count) => {
            let back = u128::from(index.unsigned_abs());
            count.unwrap_or(0).checked_sub(back).or(count.is_none().then(|| 0u128.wrapping_sub(back)))
        }
    };
    match found {
        Some(at) => Ok(at),
        None => wrong(format!("there is no {what} {index} in it: it has {}", count.unwrap_or(u128::MAX))),
    }
}

pub(super) fn subnet(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let net = network_at(args, 0)?;
    let wanted = args.int(1)?;
    let prefix = match u32::try_from(wanted) {
        Ok(prefix) if (net.prefix..=net.bits).contains(&prefix) => prefix,
        _ => {
            let text = args.str(0)?;
            return wrong(format!("`{text}` has no networks with the prefix length {wanted}"));
        }
    };
    let at = position(args.int(2)?, 1u128.checked_shl(prefix - net.prefix), "network")?;
    let offset = at.checked_shl(net.bits - prefix).unwrap_or(0);
    cx.string(format!("{}/{prefix}", net.show(net.first() | offset)))
}

pub(super) fn nth_host(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let net = network_at(args, 0)?;
    let at = position(args.int(1)?, 1u128.checked_shl(net.host_bits()), "address")?;
    cx.string(net.show(net.first() | at))
}

pub(super) fn contains_ip(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    let net = network_at(args, 0)?;
    let text = args.str(1)?;
    let inner = match (parse_network(text), parse_address(text)) {
        (Some(inner), _) => inner,
        (None, Some((address, bits))) => Net { address, prefix: bits, bits },
        (None, None) => return wrong(format!("`{text}` is no address and no network")),
    };
    let inside = inner.bits == net.bits && inner.first() >= net.first() && inner.last() <= net.last();
    Ok(Value::Bool(inside))
}

pub(super) fn overlaps(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    let (a, b) = (network_at(args, 0)?, network_at(args, 1)?);
    Ok(Value::Bool(a.bits == b.bits && a.first() <= b.last() && b.first() <= a.last()))
}

pub(super) fn ip_add(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let (address, bits) = address_at(args, 0)?;
    let by = args.int(1)?;
    let sum =
        address.checked_add_signed(i128::from(by)).filter(|sum| bits == 128 || *sum <= u128::from(u32::MAX));
    match sum {
        Some(sum) => cx.string(show(sum, bits)),
        None => wrong(format!("there is no address {by} after `{}`", args.str(0)?)),
    }
}

pub(super) fn ip_version(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    match parse_network(text).map(|net| net.bits).or_else(|| parse_address(text).map(|(_, bits)| bits)) {
        Some(32) => Ok(Value::Int(4)),
        Some(_) => Ok(Value::Int(6)),
        None => wrong(format!("`{text}` is no address and no network")),
    }
}

pub(super) fn reverse_name(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let (address, bits) = address_at(args, 0)?;
    let mut name = String::new();
    if bits == 32 {
        for octet in (address as u32).to_le_bytes() {
            name.push_str(&format!("{octet}."));
        }
        name.push_str("in-addr.arpa");
    } else {
        for byte in address.to_le_bytes() {
            name.push_str(&format!("{:x}.{:x}.", byte & 15, byte >> 4));
        }
        name.push_str("ip6.arpa");
    }
    cx.string(name)
}

fn parse_mac(text: &str) -> Option<[u8; 6]> {
    let separator = if text.contains('-') { '-' } else { ':' };
    let mut bytes = [0; 6];
    let mut parts = text.split(separator);
    for byte in &mut bytes {
        let part = parts.next()?;
        let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
        *byte = u8::from_str_radix(part, 16).ok().filter(|_| digits)?;
    }
    parts.next().is_none().then_some(bytes)
}

fn show_mac(bytes: [u8; 6]) -> String {
    bytes.map(|b| format!("{b:02x}")).join(":")
}

pub(super) fn is_mac(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::Bool(parse_mac(args.str(0)?).is_some()))
}

pub(super) fn mac(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    match parse_mac(text) {
        Some(bytes) => cx.string(show_mac(bytes)),
        None => wrong_help(format!("`{text}` is no MAC address"), "write six bytes: `02:00:00:00:00:0a`"),
    }
}

pub(super) fn local_mac(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    cx.charge(text.len() / 16, 0)?;
    let digest = Sha256::digest(text.as_bytes());
    let mut bytes = [0; 6];
    for (place, byte) in bytes.iter_mut().zip(digest) {
        *place = byte;
    }
    // Locally administered, and for one receiver (IEEE 802: the two lowest bits of the first).
    bytes[0] = 0x02;
    cx.string(show_mac(bytes))
}
