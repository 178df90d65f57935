import { decodeEntities } from './entities.ts';

/** What is read of a page. */
export interface Page {
  title: string;
  /** Markdown. */
  text: string;
}

/** Elements whose whole content is left out: they hold no text, or not the page's. */
const dropped = new Set(
  'title script style noscript template svg iframe object canvas form button select nav footer aside dialog'.split(' '),
);
const blocks = new Set(
  'address article blockquote dd details div dl dt fieldset figcaption figure h1 h2 h3 h4 h5 h6 header hr li main ol p pre section summary table tbody tfoot thead tr ul'.split(
    ' ',
  ),
);
const empty = new Set('area base br col embed hr img input link meta source track wbr'.split(' '));
const token =
  /<!--[\s\S]*?(?:-->|$)|<!\[CDATA\[([\s\S]*?)(?:\]\]>|$)|<[!?][^<>]*>|<(\/?)([a-zA-Z][^\s/<>]*)((?:"[^"]*"|'[^']*'|[^"'<>])*)>|[^<]+|</g;

/** The readable text of an HTML page as Markdown; links become absolute by `absolute`. Forgiving: any text gives some answer. */
export function readPage(html: string, absolute: (href: string) => string | undefined): Page {
  const title = decodeEntities(/<title[^>]*>([^<]*)<\/title/i.exec(html)?.[1] ?? '')
    .replace(/\s+/g, ' ')
    .trim();
  const whole = new Writer(absolute).write(html);
  const main = mainPart(html);
  const text = main === undefined ? '' : new Writer(absolute).write(main);
  // A main part that holds little is a wrong guess.
  return { title, text: text.length > 200 || text.length * 2 > whole.length ? text : whole };
}

/** The inside of the page's main element, when there is exactly one, or of its only article. */
function mainPart(html: string): string | undefined {
  for (const name of ['main', 'article']) {
    const starts = [...html.matchAll(new RegExp(`<${name}[\\s>]`, 'gi'))];
    const end = html.toLowerCase().lastIndexOf(`</${name}`);
    const start = starts[0]?.index;
    if (starts.length === 1 && start !== undefined && end > start) return html.slice(start, end);
  }
  return undefined;
}

class Writer {
  #out: string[] = [];
  #lists: { ordered: boolean; n: number }[] = [];
  #links: { href: string; at: number }[] = [];
  #pre = 0;
  /** Line ends owed before the next text. */
  #owed = 0;
  /** The last text ended with a space, or a line begins. */
  #gap = true;
  readonly #absolute: (href: string) => string | undefined;

  constructor(absolute: (href: string) => string | undefined) {
    this.#absolute = absolute;
  }

  write(html: string): string {
    let skip = '';
    let depth = 0;
    for (const [raw, cdata, close, rawName, attributes = ''] of html.matchAll(token)) {
      const name = rawName?.toLowerCase() ?? '';
      if (skip) {
        if (name === skip) depth += close ? -1 : 1;
        if (depth === 0) skip = '';
        continue;
      }
      if (rawName === undefined) {
        if (cdata !== undefined || !raw.startsWith('<') || raw === '<') this.#text(decodeEntities(cdata ?? raw));
      } else if (!close && isLeftOut(name, attributes)) {
        skip = name;
        depth = 1;
      } else this.#tag(name, close === '/', attributes);
    }
    return this.#out
      .join('')
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n')
      .trim();
  }

  #tag(name: string, close: boolean, attributes: string): void {
    if (name === 'br') this.#break(1);
    else if (name === 'a') this.#link(close, attributes);
    else if (name === 'img') this.#text(attribute(attributes, 'alt'));
    else if (name === 'pre') this.#fence(close);
    else if (name === 'code' || name === 'kbd') this.#mark('`');
    else if (name === 'b' || name === 'strong') this.#mark('**');
    else if (name === 'i' || name === 'em') this.#mark('*');
    else if (name === 'td' || name === 'th') {
      if (close) this.#put(' | ');
    } else if (blocks.has(name)) this.#block(name, close);
  }

  #block(name: string, close: boolean): void {
    const heading = /^h([1-6])$/.exec(name)?.[1];
    if (name === 'ul' || name === 'ol') {
      if (close) this.#lists.pop();
      this.#break(this.#lists.length > 0 ? 1 : 2);
      if (!close) this.#lists.push({ ordered: name === 'ol', n: 0 });
    } else if (name === 'li') {
      this.#break(1);
      if (!close) this.#item();
    } else if (name === 'tr' || name === 'dt' || name === 'dd') this.#break(1);
    else if (name === 'hr') {
      this.#break(2);
      this.#put('---');
      this.#break(2);
    } else {
      // A paragraph that opens a list item stays on the item's line.
      if (!/(?:^|\n) *(?:-|\d+\.) $/.test(this.#out.at(-1) ?? '')) this.#break(this.#lists.length && !heading ? 1 : 2);
      if (name === 'blockquote' && !close) this.#put('> ');
      if (heading && !close) this.#put(`${'#'.repeat(Number(heading))} `);
    }
  }

  #item(): void {
    const list = this.#lists.at(-1);
    if (list) list.n++;
    const indent = '  '.repeat(Math.max(0, Math.min(this.#lists.length, 8) - 1));
    this.#put(`${indent}${list?.ordered ? `${list.n}.` : '-'} `);
    this.#gap = true;
  }

  #fence(close: boolean): void {
    if (close && this.#pre === 0) return;
    this.#break(close ? 1 : 2);
    this.#put('```');
    this.#pre += close ? -1 : 1;
    this.#break(close ? 2 : 1);
  }

  /** Ends a line (1) or a paragraph (2). */
  #break(lines: number): void {
    if (this.#out.length) this.#owed = Math.max(this.#owed, lines);
    this.#gap = true;
  }

  #put(text: string): void {
    this.#out.push('\n'.repeat(this.#owed) + text);
    this.#owed = 0;
  }

  #mark(mark: string): void {
    if (!this.#pre) this.#put(mark);
  }

  #text(text: string): void {
    if (this.#pre) {
      this.#put(text);
      return;
    }
    const plain = text.replace(/\s+/g, ' ');
    const shown = this.#gap ? plain.trimStart() : plain;
    if (!shown) return;
    this.#put(shown);
    this.#gap = shown.endsWith(' ');
  }

  #link(close: boolean, attributes: string): void {
    if (!close) {
      this.#links.push({ href: attribute(attributes, 'href'), at: this.#out.length });
      return;
    }
    const link = this.#links.pop();
    const url = link?.href && !link.href.startsWith('#') ? this.#absolute(link.href) : undefined;
    if (!link || !url || !/^https?:/.test(url)) return;
    const inside = this.#out.splice(link.at).join('');
    const label = inside.replace(/\s+/g, ' ').trim().replace(/[[\]]/g, '');
    if (label) this.#out.push(`${/^\s*/.exec(inside)?.[0] ?? ''}[${label}](${url})`);
    this.#gap = false;
  }
}

function isLeftOut(name: string, attributes: string): boolean {
  if (dropped.has(name)) return !attributes.endsWith('/');
  return !empty.has(name) && /\shidden(?=[\s=]|$)|aria-hidden\s*=\s*["']?true/i.test(attributes);
}

/** An attribute's value, decoded; empty without it. */
function attribute(attributes: string, name: string): string {
  const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, 'i').exec(attributes);
  return decodeEntities(found?.[1] ?? found?.[2] ?? found?.[3] ?? '').trim();
}
