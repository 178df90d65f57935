import type { Verdict } from './policy.ts';

/** What kind of place an address is. Only `public` may be reached without being granted by name. */
export type AddressKind = 'public' | 'loopback' | 'private' | 'link-local' | 'metadata' | 'multicast' | 'reserved';

/** Where clouds hand out credentials to whoever asks from inside. */
const metadata = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '168.63.129.16',
  '100.100.100.200',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
]);
const metadataNumbers = new Set([...metadata].flatMap((ip) => parseAddress(ip)?.value ?? []));

type Block = [first: string, bits: number, kind: AddressKind];
/** The special-purpose registries of IANA; the most special first. */
const blocks4: Block[] = [
  ['0.0.0.0', 8, 'reserved'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'private'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'link-local'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'reserved'],
  ['192.0.2.0', 24, 'reserved'],
  ['192.88.99.0', 24, 'reserved'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'reserved'],
  ['198.51.100.0', 24, 'reserved'],
  ['203.0.113.0', 24, 'reserved'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'],
];
const blocks6: Block[] = [
  ['::', 128, 'reserved'],
  ['::1', 128, 'loopback'],
  ['64:ff9b:1::', 48, 'private'],
  ['2001::', 23, 'reserved'],
  ['2001:db8::', 32, 'reserved'],
  ['3fff::', 20, 'reserved'],
  ['2000::', 3, 'public'],
  ['fc00::', 7, 'private'],
  ['fe80::', 10, 'link-local'],
  ['fec0::', 10, 'private'],
  ['ff00::', 8, 'multicast'],
];
/** Blocks of IPv6 that carry an IPv4 address; `shift` bits stand behind it. Whether one may be reached is up to what it carries. */
const carriers: { first: string; bits: number; shift: bigint; otherwise: AddressKind }[] = [
  { first: '::ffff:0:0', bits: 96, shift: 0n, otherwise: 'public' },
  { first: '::ffff:0:0:0', bits: 96, shift: 0n, otherwise: 'reserved' },
  { first: '64:ff9b::', bits: 96, shift: 0n, otherwise: 'public' },
  { first: '::', bits: 96, shift: 0n, otherwise: 'reserved' },
  { first: '2002::', bits: 16, shift: 80n, otherwise: 'reserved' },
];

interface Address {
  bits: 32 | 128;
  value: bigint;
}

/** The kind of an IPv4 or IPv6 address; what is no address at all is `reserved`. */
export function classifyAddress(ip: string): AddressKind {
  const address = parseAddress(ip);
  if (!address) return 'reserved';
  if (metadataNumbers.has(address.value)) return 'metadata';
  if (address.bits === 32) return kindIn(blocks4, address) ?? 'public';
  // `::` and `::1` lie in the block of IPv4-compatible addresses and are none.
  const carrier = address.value > 1n ? carriers.find((block) => inside(address, block.first, block.bits)) : undefined;
  if (!carrier) return kindIn(blocks6, address) ?? 'reserved';
  const carried = (address.value >> carrier.shift) & 0xffff_ffffn;
  const kind = metadataNumbers.has(carried) ? 'metadata' : (kindIn(blocks4, { bits: 32, value: carried }) ?? 'public');
  return kind === 'public' ? carrier.otherwise : kind;
}

/**
 * Whether a connection for `host:port` may go to this address: a public one always, one on the own network or machine only when
 * `private_hosts` names that very `host:port`. Places nobody means by a name (metadata services, multicast, reserved blocks) have
 * to be named by their address, so that a name's DNS cannot lead there.
 */
export function checkAddress(ip: string, hostPort: string, privateHosts: string[]): Verdict {
  const kind = classifyAddress(ip);
  if (kind === 'public') return { allow: true };
  const wanted = normalHostPort(hostPort);
  const named = wanted !== undefined && privateHosts.some((host) => normalHostPort(host) === wanted);
  const byName = kind === 'loopback' || kind === 'private' || kind === 'link-local';
  if (named && (byName || sameAddress(ip, hostOf(hostPort)))) return { allow: true };
  return { allow: false, reason: `${hostPort} leads to a ${kind} address (${ip}) that private_hosts does not grant` };
}

function kindIn(blocks: Block[], address: Address): AddressKind | undefined {
  return blocks.find(([first, bits]) => inside(address, first, bits))?.[2];
}

const starts = new Map<string, Address | undefined>();

/** The first address of one of the blocks above: read once. */
function startOf(block: string): Address | undefined {
  if (!starts.has(block)) starts.set(block, parseAddress(block));
  return starts.get(block);
}

function inside(address: Address, first: string, bits: number): boolean {
  const block = startOf(first);
  if (!block || block.bits !== address.bits) return false;
  const shift = BigInt(address.bits - bits);
  return address.value >> shift === block.value >> shift;
}

/** An address as a number; undefined for anything but plain dotted or colon notation (with or without brackets and zone). */
function parseAddress(text: string): Address | undefined {
  const ip = text.replace(/^\[(.*)\]$/, '$1').replace(/%[\w.-]+$/, '');
  if (!ip.includes(':')) {
    const value = parse4(ip);
    return value === undefined ? undefined : { bits: 32, value };
  }
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(ip);
  const tail = dotted && parse4(dotted[2] ?? '');
  if (dotted && tail === undefined) return undefined;
  const text6 = dotted
    ? `${dotted[1]}${((tail ?? 0n) >> 16n).toString(16)}:${((tail ?? 0n) & 0xffffn).toString(16)}`
    : ip;
  const halves = text6.split('::');
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const [head = [], rest = []] = groups;
  const missing = 8 - head.length - rest.length;
  if (halves.length > 2 || (halves.length === 2 ? missing < 1 : missing !== 0)) return undefined;
  const all = [...head, ...Array.from({ length: missing }, () => '0'), ...rest];
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return { bits: 128, value: all.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n) };
}

function parse4(ip: string): bigint | undefined {
  // A leading zero is octal to some programs and decimal to others.
  const match = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/.exec(ip);
  const parts = match?.slice(1).map(Number);
  if (!parts || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function sameAddress(a: string, b: string): boolean {
  const [left, right] = [parseAddress(a), parseAddress(b)];
  return left !== undefined && left.bits === right?.bits && left.value === right.value;
}

function hostOf(hostPort: string): string {
  return hostPort.replace(/:\d+$/, '');
}

function normalHostPort(text: string): string | undefined {
  const port = /:(\d{1,5})$/.exec(text)?.[1];
  const host = URL.parse(`http://${hostOf(text)}/`)?.hostname.replace(/\.$/, '');
  return port === undefined || !host ? undefined : `${host}:${Number(port)}`;
}
