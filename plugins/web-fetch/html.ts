import { decodeEntities } from './entities.ts';

/** What is read of a page. */
export interface Page {
  title: string;
  /** Markdown. */
  text: string;
}

/** Elements whose whole content is left out: they hold no text, or not the page's. */
const dropped = new Set(
  'script style noscript template svg iframe object canvas form button select nav footer aside dialog'.split(' '),
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
  #quote = 0;
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
      } else if (!close && dropped.has(name) && !attributes.endsWith('/')) {
        skip = name;
        depth = 1;
      } else if (!close && /\shidden(?=[\s=]|$)|aria-hidden\s*=\s*["']?true/i.test(attributes) && !empty.has(name)) {
        skip = name;
        depth = 1;
      } else this.#tag(name, close === '/', attributes);
    }
    return this.#out
      .join('')
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n')
      .replace(/\n{3,}/g, '\n\n')
      .trim();
  }

  #tag(name: string, close: boolean, attributes: string): void {
    if (name === 'br') this.#out.push('\n');
    else if (name === 'a') this.#link(close, attributes);
    else if (name === 'img') this.#text(attribute(attributes, 'alt'));
    else if (name === 'pre') {
      this.#break(2);
      this.#pre = Math.max(0, this.#pre + (close ? -1 : 1));
      this.#out.push('```\n');
      if (close) this.#break(2);
    } else if ((name === 'code' || name === 'kbd') && !this.#pre) this.#out.push('`');
    else if (['b', 'strong'].includes(name)) this.#mark('**');
    else if (['i', 'em'].includes(name)) this.#mark('*');
    else if (['td', 'th'].includes(name)) {
      if (close) this.#out.push(' | ');
    } else if (blocks.has(name)) this.#block(name, close);
  }

  #block(name: string, close: boolean): void {
    const heading = /^h([1-6])$/.exec(name)?.[1];
    if (name === 'ul' || name === 'ol') {
      if (close) this.#lists.pop();
      else this.#lists.push({ ordered: name === 'ol', n: 0 });
      this.#break(this.#lists.length > (close ? 0 : 1) ? 1 : 2);
    } else if (name === 'li') {
      this.#break(1);
      if (close) return;
      const list = this.#lists.at(-1);
      if (list) list.n++;
      this.#out.push(`${'  '.repeat(Math.max(0, this.#lists.length - 1))}${list?.ordered ? `${list.n}.` : '-'} `);
      this.#gap = true;
    } else if (name === 'tr' || name === 'dt' || name === 'dd') this.#break(1);
    else if (name === 'hr') {
      this.#break(2);
      this.#out.push('---');
      this.#break(2);
    } else {
      this.#break(this.#lists.length && !heading ? 1 : 2);
      if (name === 'blockquote') this.#quote = Math.max(0, this.#quote + (close ? -1 : 1));
      if (!close && this.#quote && name === 'blockquote') this.#out.push('> ');
      if (heading && !close) this.#out.push(`${'#'.repeat(Number(heading))} `);
    }
  }

  /** Ends a line, or a paragraph. */
  #break(lines: number): void {
    const last = this.#out.at(-1) ?? '';
    if (this.#gap && /^\s*([-*]|\d+\.) $/.test(last)) return;
    this.#out.push('\n'.repeat(lines));
    this.#gap = true;
  }

  #mark(mark: string): void {
    if (!this.#pre) this.#out.push(mark);
  }

  #text(text: string): void {
    if (this.#pre) {
      this.#out.push(text);
      return;
    }
    const plain = text.replace(/\s+/g, ' ');
    const shown = this.#gap ? plain.trimStart() : plain;
    if (!shown) return;
    this.#out.push(shown);
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
    const label = this.#out.splice(link.at).join('').replace(/\s+/g, ' ').trim();
    if (label) this.#out.push(`[${label.replace(/[[\]]/g, '')}](${url})`);
    this.#gap = false;
  }
}

/** An attribute's value, decoded; empty without it. */
function attribute(attributes: string, name: string): string {
  const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, 'i').exec(attributes);
  return decodeEntities(found?.[1] ?? found?.[2] ?? found?.[3] ?? '').trim();
}
