import { describe, expect, test } from 'bun:test';
import { checkAddress, classifyAddress, toolAllowed } from '../../src/policy/policy.ts';

describe('an address is', () => {
  const kinds: Record<string, string[]> = {
    public: [
      '1.1.1.1',
      '8.8.8.8',
      '100.63.255.255',
      '100.128.0.0',
      '172.15.255.255',
      '172.32.0.1',
      '169.253.0.1',
      '192.0.1.1',
      '198.20.0.1',
      '223.255.255.255',
      '2606:4700:4700::1111',
      '::ffff:8.8.8.8',
      '64:ff9b::8.8.8.8',
    ],
    loopback: [
      '127.0.0.1',
      '127.255.255.254',
      '::1',
      '0:0:0:0:0:0:0:1',
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '64:ff9b::127.0.0.1',
      '[::1]',
      '2002:7f00:1::',
      '::127.0.0.1',
    ],
    private: [
      '10.0.0.1',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '100.64.0.1',
      '100.127.255.255',
      'fc00::1',
      'fd12:3456::1',
      'fec0::1',
      '::ffff:10.0.0.1',
      '::ffff:0:10.0.0.1',
      '64:ff9b::c0a8:101',
      '64:ff9b:1::1',
      '2002:c0a8:101::1',
      '::10.0.0.1',
    ],
    'link-local': ['169.254.1.1', 'fe80::1', 'fe80::1%eth0', 'febf::1', '::ffff:169.254.1.1'],
    metadata: [
      '169.254.169.254',
      '::ffff:169.254.169.254',
      '::ffff:a9fe:a9fe',
      '64:ff9b::a9fe:a9fe',
      '2002:a9fe:a9fe::',
      'fd00:ec2::254',
      '100.100.100.200',
      '168.63.129.16',
    ],
    multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1', '::ffff:224.0.0.1'],
    reserved: [
      '0.0.0.0',
      '0.1.2.3',
      '192.0.0.1',
      '192.0.2.1',
      '198.18.0.1',
      '198.51.100.1',
      '203.0.113.1',
      '240.0.0.1',
      '255.255.255.255',
      '::',
      '::ffff:0.0.0.0',
      '::8.8.8.8',
      '2001::1',
      '2001:0:4136:e378:8000:63bf:3fff:fdd2',
      '2001:db8::1',
      '2002:808:808::1',
      '3fff::1',
      '4000::1',
      '100::1',
      'localhost',
      '',
      '127.1',
      '0177.0.0.1',
      '0x7f000001',
      '2130706433',
      '1.2.3.4.5',
      '1.2.3.256',
      ':::1',
      '1::2::3',
      '12345::',
      '::ffff:1.2.3',
    ],
  };
  for (const [kind, addresses] of Object.entries(kinds))
    test(kind, () => {
      expect(addresses.map((ip) => `${ip} ${classifyAddress(ip)}`)).toEqual(addresses.map((ip) => `${ip} ${kind}`));
    });
});

describe('a connection', () => {
  const allowed = (ip: string, hostPort: string, grants: string[] = []) => checkAddress(ip, hostPort, grants).allow;

  test('to a public address needs no grant', () => {
    expect(allowed('8.8.8.8', 'dns.google:443')).toBe(true);
  });

  test('inside needs its host and port by name', () => {
    expect(allowed('192.168.1.20', 'nas.lan:8080', ['nas.lan:8080'])).toBe(true);
    expect(allowed('192.168.1.20', 'NAS.lan:8080', ['nas.LAN:8080'])).toBe(true);
    expect(allowed('127.0.0.1', '127.0.0.1:11434', ['127.0.0.1:11434'])).toBe(true);
    expect(allowed('::1', '[::1]:80', ['[0:0::1]:80'])).toBe(true);
    for (const [hostPort, grants] of [
      ['nas.lan:8080', []],
      ['nas.lan:22', ['nas.lan:8080']],
      ['evil.example:8080', ['nas.lan:8080', '192.168.1.20:8080']],
      ['nas.lan:8080', ['nas.lan']],
      ['nas.lan', ['nas.lan']],
      ['nas.lan:8080', ['*.lan:8080', '*:8080', ':8080']],
    ] as const)
      expect([hostPort, grants, allowed('192.168.1.20', hostPort, [...grants])]).toEqual([hostPort, grants, false]);
  });

  test('to a metadata service or a reserved block cannot hide behind a granted name', () => {
    expect(allowed('169.254.169.254', 'nas.lan:80', ['nas.lan:80'])).toBe(false);
    expect(allowed('::ffff:169.254.169.254', 'nas.lan:80', ['nas.lan:80'])).toBe(false);
    expect(allowed('0.0.0.0', 'nas.lan:80', ['nas.lan:80'])).toBe(false);
    expect(allowed('198.18.0.5', '198.18.0.5:80', ['198.18.0.5:80'])).toBe(true);
  });

  test('that is refused says where it leads', () => {
    expect(checkAddress('10.0.0.1', 'evil.example:443', [])).toEqual({
      allow: false,
      reason: 'evil.example:443 leads to a private address (10.0.0.1) that private_hosts does not grant',
    });
  });
});

describe('a tool', () => {
  const allowed = (deny: string[], name: string) => toolAllowed(deny, name).allow;

  test('is allowed unless a pattern covers its whole name', () => {
    expect(allowed([], 'shell')).toBe(true);
    expect(allowed(['shell'], 'shell')).toBe(false);
    expect(allowed(['shell'], 'shell_exec')).toBe(true);
    expect(allowed(['shell*'], 'shell_exec')).toBe(false);
    expect(allowed(['*_write'], 'memory_write')).toBe(false);
    expect(allowed(['*_write'], 'memory_writer')).toBe(true);
    expect(allowed(['a*b*c'], 'a1b2c')).toBe(false);
    expect(allowed(['a*b*c'], 'acb')).toBe(true);
    expect(allowed(['a*a'], 'a')).toBe(true);
    expect(allowed(['*'], '')).toBe(false);
    expect(allowed(['mem.ry'], 'memory')).toBe(true);
  });

  test('is told which pattern denies it', () => {
    expect(toolAllowed(['x', 'web*'], 'web_fetch')).toEqual({
      allow: false,
      reason: 'px.yaml denies the tool (agent.tools.deny: web*)',
    });
  });
});
