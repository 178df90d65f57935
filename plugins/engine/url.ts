import punycode from 'punycode/punycode.es6.js';

/** `application/x-www-form-urlencoded` pairs, as in browsers. */
export class SearchParams implements Iterable<[string, string]> {
  #pairs: [string, string][] = [];
  /** Called after each change: keeps a URL's `search` in step. */
  changed: () => void = () => {};

  constructor(init: string | Record<string, string> | Iterable<[string, string]> = '') {
    if (typeof init === 'string') {
      for (const part of init.replace(/^\?/, '').split('&')) {
        if (!part) continue;
        const [name = '', ...value] = part.split('=');
        this.#pairs.push([decode(name), decode(value.join('='))]);
      }
    } else if (Symbol.iterator in init) for (const [k, v] of init) this.#pairs.push([`${k}`, `${v}`]);
    else for (const [k, v] of Object.entries(init)) this.#pairs.push([k, `${v}`]);
  }

  append(name: string, value: string): void {
    this.#pairs.push([name, `${value}`]);
    this.changed();
  }
  delete(name: string, value?: string): void {
    this.#pairs = this.#pairs.filter(([k, v]) => k !== name || (value !== undefined && v !== value));
    this.changed();
  }
  get(name: string): string | null {
    return this.#pairs.find(([k]) => k === name)?.[1] ?? null;
  }
  getAll(name: string): string[] {
    return this.#pairs.filter(([k]) => k === name).map(([, v]) => v);
  }
  has(name: string, value?: string): boolean {
    return this.#pairs.some(([k, v]) => k === name && (value === undefined || v === value));
  }
  get size(): number {
    return this.#pairs.length;
  }
  sort(): void {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.changed();
  }
  forEach(run: (value: string, name: string, params: SearchParams) => void): void {
    for (const [name, value] of this.#pairs) run(value, name, this);
  }
  set(name: string, value: string): void {
    const first = this.#pairs.find(([k]) => k === name);
    if (!first) this.#pairs.push([name, `${value}`]);
    else {
      first[1] = `${value}`;
      this.#pairs = this.#pairs.filter((p) => p[0] !== name || p === first);
    }
    this.changed();
  }
  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.#pairs[Symbol.iterator]();
  }
  entries(): IterableIterator<[string, string]> {
    return this[Symbol.iterator]();
  }
  keys(): IterableIterator<string> {
    return this.#pairs.map(([k]) => k)[Symbol.iterator]();
  }
  values(): IterableIterator<string> {
    return this.#pairs.map(([, v]) => v)[Symbol.iterator]();
  }
  toString(): string {
    return this.#pairs.map(([k, v]) => `${encode(k)}=${encode(v)}`).join('&');
  }
}

function decode(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}

const defaultPorts: Record<string, string> = {
  'http:': '80',
  'https:': '443',
  'ws:': '80',
  'wss:': '443',
  'ftp:': '21',
};
/** Percent-encodes what may not stand in a URL and leaves what is encoded already. */
const tidy = (text: string, also: RegExp) =>
  text
    .toWellFormed()
    .replace(/[^\x21-\x7e]|["<>`]/gu, encodeURIComponent)
    .replace(also, encodeURIComponent);

/** A name in other letters as DNS has it: `münchen.de` is `xn--mnchen-3ya.de`. */
const ascii = (host: string) => punycode.toASCII(host.normalize('NFKC').toLowerCase());

/**
 * The part of the URL standard that plugins need: absolute and relative http-like URLs, dot segments, search parameters.
 * Not here: internationalised host names and IPv4 in odd notations. The host checks every request's URL with its own parser.
 */
export class PlainUrl {
  #protocol = '';
  #username = '';
  #password = '';
  #hostname = '';
  #port = '';
  #path = '';
  #search = '';
  #hash = '';
  #params: SearchParams | undefined;

  constructor(url: string | PlainUrl, base?: string | PlainUrl) {
    this.#read(url, base);
  }

  #read(url: string | PlainUrl, base?: string | PlainUrl): void {
    const text = `${url}`.trim().replace(/[\t\n\r]/g, '');
    const absolute = /^([a-zA-Z][a-zA-Z0-9+.-]*:)(.*)$/s.exec(text);
    const from = base === undefined ? undefined : new PlainUrl(base);
    if (!absolute && !from) throw new TypeError(`Invalid URL: ${text.slice(0, 200)}`);
    this.#protocol = absolute?.[1]?.toLowerCase() ?? from?.protocol ?? '';
    const special = this.#protocol in defaultPorts;
    let rest = absolute?.[2] ?? text;
    if (special) rest = rest.replace(/^[^?#]*/, (p) => p.replaceAll('\\', '/'));
    const [, authority, path = '', search = '', hash = ''] =
      /^(?:\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(rest) ?? [];
    if (absolute && special && !authority) throw new TypeError(`Invalid URL: ${text.slice(0, 200)}`);
    if (authority !== undefined || absolute) {
      const [, user = '', pass = '', host = '', port = ''] =
        /^(?:([^:@]*)(?::([^@]*))?@)?(\[[0-9a-fA-F:.]*\]|[^:]*)(?::(\d*))?$/.exec(authority ?? '') ?? [];
      if (authority && (!host || /[\s<>^|%"{}]/.test(host) || Number(port) > 65535))
        throw new TypeError(`Invalid URL: ${text.slice(0, 200)}`);
      this.#username = user;
      this.#password = pass;
      this.#hostname = special && /[^\x00-\x7f]/.test(host) ? ascii(host) : host.toLowerCase();
      this.#port = port === defaultPorts[this.#protocol] ? '' : port.replace(/^0+(?=\d)/, '');
    } else {
      this.#username = from?.username ?? '';
      this.#password = from?.password ?? '';
      this.#hostname = from?.hostname ?? '';
      this.#port = from?.port ?? '';
    }
    const own = authority !== undefined || absolute || path.startsWith('/');
    const joined = own ? path : path ? (from?.pathname ?? '/').replace(/[^/]*$/, '') + path : (from?.pathname ?? '/');
    this.#path = this.#hostname || special ? dots(tidy(joined, /[{}]/g)) : joined;
    this.#search = search || path || own ? tidy(search, /'/g) : (from?.search ?? '');
    if (this.#search === '?') this.#search = '';
    this.#hash = hash === '#' ? '' : tidy(hash, /(?!)/g);
  }

  static canParse(url: string, base?: string): boolean {
    try {
      return !!new PlainUrl(url, base);
    } catch {
      return false;
    }
  }

  static parse(url: string, base?: string): PlainUrl | null {
    return PlainUrl.canParse(url, base) ? new PlainUrl(url, base) : null;
  }

  /** Another value for one part: what would make the URL invalid is left as it was, as browsers do. */
  #with(part: 'protocol' | 'username' | 'password' | 'host', value: string): void {
    const login = (user: string, password: string) =>
      user || password ? `${user}${password ? `:${password}` : ''}@` : '';
    const protocol = part === 'protocol' ? `${value.replace(/:.*/s, '')}:` : this.#protocol;
    const user = part === 'username' ? encodeURIComponent(value) : this.#username;
    const password = part === 'password' ? encodeURIComponent(value) : this.#password;
    const host = part === 'host' ? value : this.host;
    const url = `${protocol}//${login(user, password)}${host}${this.#path}${this.#search}${this.#hash}`;
    if (PlainUrl.canParse(url)) this.#read(url);
  }
  get protocol(): string {
    return this.#protocol;
  }
  set protocol(value: string) {
    this.#with('protocol', `${value}`);
  }
  get username(): string {
    return this.#username;
  }
  set username(value: string) {
    this.#with('username', `${value}`);
  }
  get password(): string {
    return this.#password;
  }
  set password(value: string) {
    this.#with('password', `${value}`);
  }
  get hostname(): string {
    return this.#hostname;
  }
  set hostname(value: string) {
    this.#with('host', this.#port ? `${value}:${this.#port}` : `${value}`);
  }
  get port(): string {
    return this.#port;
  }
  set port(value: string) {
    this.#with('host', `${value}` === '' ? this.#hostname : `${this.#hostname}:${value}`);
  }
  set host(value: string) {
    this.#with('host', this.#port && !/:\d+$/.test(`${value}`) ? `${value}:${this.#port}` : `${value}`);
  }
  get host(): string {
    return this.port ? `${this.hostname}:${this.port}` : this.hostname;
  }
  get origin(): string {
    return this.protocol in defaultPorts ? `${this.protocol}//${this.host}` : 'null';
  }
  get pathname(): string {
    return this.#path;
  }
  set pathname(path: string) {
    this.#path = dots(tidy(path.startsWith('/') ? path : `/${path}`, /[{}?#]/g));
  }
  get search(): string {
    return this.#search;
  }
  set search(search: string) {
    this.#search = search && search !== '?' ? tidy(search.startsWith('?') ? search : `?${search}`, /['#]/g) : '';
    this.#params = undefined;
  }
  get hash(): string {
    return this.#hash;
  }
  set hash(hash: string) {
    this.#hash = hash && hash !== '#' ? tidy(hash.startsWith('#') ? hash : `#${hash}`, /(?!)/g) : '';
  }
  get searchParams(): SearchParams {
    if (!this.#params) {
      const params = new SearchParams(this.#search);
      params.changed = () => {
        const text = params.toString();
        this.#search = text ? `?${text}` : '';
      };
      this.#params = params;
    }
    return this.#params;
  }
  set href(value: string) {
    this.#read(value);
    this.#params = undefined;
  }
  get href(): string {
    const login = this.username ? `${this.username}${this.password ? `:${this.password}` : ''}@` : '';
    const slashes = this.hostname || this.protocol in defaultPorts || this.protocol === 'file:' ? '//' : '';
    return `${this.protocol}${slashes}${login}${this.host}${this.#path}${this.#search}${this.#hash}`;
  }
  toString(): string {
    return this.href;
  }
  toJSON(): string {
    return this.href;
  }
}

/** Resolves `.` and `..` in a path. */
function dots(path: string): string {
  const out: string[] = [];
  const parts = path.replace(/^\//, '').split('/');
  parts.forEach((part, i) => {
    const plain = part.replace(/%2e/gi, '.');
    const last = i === parts.length - 1;
    if (plain === '..') out.pop();
    if (plain === '.' || plain === '..') {
      if (last) out.push('');
    } else out.push(part);
  });
  return `/${out.join('/')}`;
}
