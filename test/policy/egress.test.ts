import { describe, expect, test } from 'bun:test';
import { PxError } from '../../src/error/error.ts';
import { checkEgress, parseEgress, secretMayGo } from '../../src/policy/policy.ts';

const allows = (rule: string, method: string, url: string | URL) => checkEgress([parseEgress(rule)], method, url).allow;

describe('an egress rule', () => {
  test('is read into its parts', () => {
    expect(parseEgress('GET,post https://API.example.com/v1/')).toEqual({
      methods: ['GET', 'POST'],
      scheme: 'https',
      host: 'api.example.com',
      port: 443,
      pathPrefix: '/v1/',
    });
    expect(parseEgress('http://*.example.com:8080')).toEqual({
      methods: ['GET'],
      scheme: 'http',
      host: '*.example.com',
      port: 8080,
      pathPrefix: '/',
    });
    expect(parseEgress('* https://*/')).toMatchObject({ methods: ['*'], host: '*', port: 443 });
    expect(parseEgress('GET http://[::1]:8080/')).toMatchObject({ host: '[::1]', port: 8080 });
  });

  for (const rule of [
    '',
    'GET',
    'example.com',
    'ftp://example.com/',
    'GET https://user@example.com/',
    'GET https://user:pass@example.com/',
    'GET https://example.com/?q=1',
    'GET https://example.com/#x',
    'GET https://example.com\\evil/',
    'GET https:///path',
    'GET https://example.com:99999/',
    'GET https://example.com:0/',
    'GET https://*.com/',
    'GET https://*./',
    'GET https://*.1.2.3.4/',
    'GET https://a.*.com/',
    'GET https://example.com./',
    'GET https://еxample.com/',
    'GET https://0x7f.1/',
    'GET https://2130706433/',
    'GET https://exa%6dple.com/',
    'GET https://example.com/a/../b/',
    'GET https://example.com/%2e%2e/b/',
    'GET https://example.com/a/..%2fb/',
    'GE:T https://example.com/',
    'GET POST https://example.com/',
  ])
    test(`${JSON.stringify(rule)} is refused with a hint`, () => {
      try {
        parseEgress(rule);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(PxError);
        expect(thrown).toMatchObject({ code: 'config.invalid', hint: expect.any(String) });
        return;
      }
      throw new Error('it was accepted');
    });

  test('allows its methods on its host, port and path, and nothing else', () => {
    const rule = 'GET,POST https://api.example.com/v1/';
    expect(allows(rule, 'GET', 'https://api.example.com/v1/things?x=1#y')).toBe(true);
    expect(allows(rule, 'post', new URL('https://API.EXAMPLE.com:443/v1/'))).toBe(true);
    for (const [method, url] of [
      ['DELETE', 'https://api.example.com/v1/'],
      ['GET', 'http://api.example.com/v1/'],
      ['GET', 'https://api.example.com:8443/v1/'],
      ['GET', 'https://api.example.com/v2/'],
      ['GET', 'https://api.example.com/v1'],
      ['GET', 'https://api.example.com/V1/'],
      ['GET', 'https://example.com/v1/'],
      ['GET', 'https://x.api.example.com/v1/'],
      ['GET', 'https://api.example.com.evil.org/v1/'],
      ['GET', 'https://evil.org/v1/?https://api.example.com/v1/'],
      ['GET', 'wss://api.example.com/v1/'],
      ['GET', 'file:///v1/'],
      ['GET', 'nonsense'],
    ] as const)
      expect([url, allows(rule, method, url)]).toEqual([url, false]);
  });

  test('with no methods allows GET only, with * all', () => {
    expect(allows('https://a.example/', 'GET', 'https://a.example/')).toBe(true);
    expect(allows('https://a.example/', 'HEAD', 'https://a.example/')).toBe(false);
    expect(allows('* https://a.example/', 'PATCH', 'https://a.example/')).toBe(true);
  });

  test('with a wildcard covers subdomains of any depth, not the name itself and no look-alike', () => {
    const rule = 'GET https://*.example.com/';
    expect(allows(rule, 'GET', 'https://a.example.com/')).toBe(true);
    expect(allows(rule, 'GET', 'https://a.b.example.com/')).toBe(true);
    for (const host of [
      'example.com',
      'notexample.com',
      'a.example.com.evil.org',
      'a.example.com.',
      '.example.com',
      'a.examp1e.com',
    ])
      expect([host, allows(rule, 'GET', `https://${host}/`)]).toEqual([host, false]);
  });

  test('for any host still keeps scheme and port', () => {
    expect(allows('GET https://*/', 'GET', 'https://anything.example/x')).toBe(true);
    expect(allows('GET https://*/', 'GET', 'http://anything.example/x')).toBe(false);
    expect(allows('GET https://*/', 'GET', 'https://anything.example:22/x')).toBe(false);
  });

  test('reasons name the request and what is missing', () => {
    const rules = [parseEgress('GET https://api.example.com/v1/')];
    expect(checkEgress(rules, 'POST', 'https://api.example.com/v1/x')).toEqual({
      allow: false,
      reason: 'no egress rule allows POST https://api.example.com/v1/x (GET only)',
    });
    expect(checkEgress([], 'GET', 'https://a.example/?token=abc')).toEqual({
      allow: false,
      reason: 'no egress rule allows GET https://a.example/',
    });
  });
});

describe('getting around a rule', () => {
  const rule = 'GET https://api.example.com/v1/';
  for (const url of [
    'https://api.example.com@evil.org/v1/',
    'https://user:pass@api.example.com/v1/',
    'https://api.example.com:pass@evil.org/v1/',
    'https://evil.org\\@api.example.com/v1/',
    'https:\\\\api.example.com\\v1\\',
    'https:api.example.com/v1/',
    'https:/api.example.com/v1/',
    'https:///api.example.com/v1/',
    ' https://api.example.com/v1/',
    'https://api.example.com/v1/\n',
    'https://api.exam\tple.com/v1/',
    'https://api.example.com./v1/',
    'https://api。evil。org/v1/',
    'https://аpi.example.com/v1/',
    'https://xn--pi-7kc.example.com/v1/',
    'https://api.example.com/v1/../admin',
    'https://api.example.com/v1/%2e%2e/admin',
    'https://api.example.com/v1/.%2E/admin',
    'https://api.example.com/v1/..%2fadmin',
    'https://api.example.com/v1/%2e%2e%2fadmin',
    'https://api.example.com/v1/%252e%252e%252fadmin',
    'https://api.example.com/v1/%25252e%25252e/admin',
    'https://api.example.com/v1/..%5cadmin',
    'https://api.example.com/v1/x%2f..%2f..%2fadmin',
    'https://api.example.com/v1/..;/admin',
    'https://api.example.com/v1/..%00/admin',
    'https://api.example.com/v1%2f../admin',
    'https://api.example.com/v1/%c0%ae%c0%ae/admin',
    'https://api.example.com/v1/..%c0%af..%C1%9Cadmin',
    'https://api.example.com/v1/%e0%80%ae%e0%80%ae/admin',
    'https://api.example.com/v1/%25c0%25ae%25c0%25ae/admin',
    'https://api.example.com/v1/%u002e%u002e/admin',
    'https://api.example.com//v1/',
    'https://api.example.com/./V1/',
  ])
    test(`${JSON.stringify(url)} does not`, () => {
      expect(allows(rule, 'GET', url)).toBe(false);
    });

  test('an encoded slash that climbs nowhere is ordinary', () => {
    expect(allows(rule, 'GET', 'https://api.example.com/v1/projects/group%2Fproject')).toBe(true);
    expect(allows(rule, 'GET', 'https://api.example.com/v1/a..b/...')).toBe(true);
    expect(allows(rule, 'GET', 'https://api.example.com/v1/Zoë/日本/😀/100%')).toBe(true);
  });

  test('look-alike hosts match by their ASCII form only', () => {
    expect(allows('GET https://xn--xample-2of.com/', 'GET', 'https://еxample.com/')).toBe(true);
    expect(allows('GET https://example.com/', 'GET', 'https://еxample.com/')).toBe(false);
    expect(allows('GET https://example.com/', 'GET', 'https://ｅxample.com/')).toBe(true);
  });
});

describe('a secret', () => {
  const grants = {
    TOKEN: ['https://api.telegram.org/bot'],
    LOCAL: ['http://192.168.1.2:8080/'],
    BROKEN: ['https://x.example'],
  };

  test('goes to the places named for it', () => {
    expect(secretMayGo(grants, 'TOKEN', 'https://api.telegram.org/botpx-123/getMe').allow).toBe(true);
    expect(secretMayGo(grants, 'LOCAL', new URL('http://192.168.1.2:8080/x')).allow).toBe(true);
  });

  test('goes nowhere else', () => {
    for (const url of [
      'http://api.telegram.org/bot1/x',
      'https://api.telegram.org/file/bot1/x',
      'https://api.telegram.org.evil.org/bot1/x',
      'https://api.telegram.org@evil.org/bot1/x',
      'https://api.telegram.org:8443/bot1/x',
      'https://api.telegram.org/bot1/..%2f..%2fx',
    ])
      expect([url, secretMayGo(grants, 'TOKEN', url).allow]).toEqual([url, false]);
    expect(secretMayGo(grants, 'OTHER', 'https://api.telegram.org/bot1')).toEqual({
      allow: false,
      reason: 'the secret OTHER is not granted',
    });
  });

  test('of a name every object has is not granted by it', () => {
    expect(secretMayGo({}, 'constructor', 'https://a.example/').allow).toBe(false);
    expect(secretMayGo({}, '__proto__', 'https://a.example/').allow).toBe(false);
  });
});

describe('a WebSocket', () => {
  const rules = [parseEgress('GET wss://*.example.com/gw/'), parseEgress('* https://gw.example.com/')];
  test('has rules of its own: none for a page is one for it, nor the other way round', () => {
    const allowed = (url: string) => checkEgress(rules, 'GET', url).allow;
    expect(allowed('wss://gw.example.com/gw/?v=1')).toBe(true);
    expect(allowed('https://gw.example.com/gw/')).toBe(true);
    for (const no of [
      'ws://gw.example.com/gw/',
      'wss://gw.example.com/',
      'wss://example.com/gw/',
      'wss://gw.example.com:80/gw/',
      'wss:gw.example.com/gw/',
      'wss://gw.example.com./gw/',
      'wss://gw.example.com/gw/..%2f',
    ])
      expect(allowed(no)).toBe(false);
    expect(checkEgress([parseEgress('* https://*/')], 'GET', 'wss://gw.example.com/').allow).toBe(false);
  });
});
