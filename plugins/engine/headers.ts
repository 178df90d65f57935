/** What a Headers can be made from. */
export type HeadersGiven = Iterable<readonly [string, string]> | Record<string, string> | undefined | null;

/** Header names and values, as in browsers: names in small letters, several of one name joined with commas. */
export class PlainHeaders implements Iterable<[string, string]> {
  #pairs: [name: string, value: string][] = [];

  constructor(init?: HeadersGiven) {
    if (!init) return;
    const pairs = Symbol.iterator in init ? init : Object.entries(init);
    for (const [name, value] of pairs as Iterable<readonly [string, string]>) this.append(name, value);
  }

  append(name: string, value: string): void {
    this.#pairs.push([headerName(name), headerValue(value)]);
  }
  delete(name: string): void {
    const key = headerName(name);
    this.#pairs = this.#pairs.filter(([k]) => k !== key);
  }
  get(name: string): string | null {
    const values = this.#of(name);
    return values.length > 0 ? values.join(', ') : null;
  }
  getSetCookie(): string[] {
    return this.#of('set-cookie');
  }
  has(name: string): boolean {
    return this.#of(name).length > 0;
  }
  set(name: string, value: string): void {
    this.delete(name);
    this.append(name, value);
  }
  forEach(run: (value: string, name: string, headers: PlainHeaders) => void): void {
    for (const [name, value] of this) run(value, name, this);
  }
  *entries(): IterableIterator<[string, string]> {
    const names = [...new Set(this.#pairs.map(([name]) => name))].sort();
    for (const name of names) {
      if (name === 'set-cookie') for (const value of this.#of(name)) yield [name, value];
      else yield [name, this.#of(name).join(', ')];
    }
  }
  *keys(): IterableIterator<string> {
    for (const [name] of this) yield name;
  }
  *values(): IterableIterator<string> {
    for (const [, value] of this) yield value;
  }
  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }
  #of(name: string): string[] {
    const key = headerName(name);
    return this.#pairs.filter(([k]) => k === key).map(([, value]) => value);
  }
}

function headerName(name: string): string {
  const text = `${name}`;
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text)) throw new TypeError(`${JSON.stringify(text)} is no header name`);
  return text.toLowerCase();
}

function headerValue(value: string): string {
  const text = `${value}`.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
  if (/[\0\n\r]/.test(text)) throw new TypeError('a header value has no line breaks');
  return text;
}
