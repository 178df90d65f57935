import { raw } from 'hono/html';

const escaped = (text: string) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
/** Sequences that steer a terminal, and marks that turn the direction of writing: they would only hide what stands there. */
const unseen =
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-_])|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Where a memory says it has something from: `MEMORY.md#5`, `journal/web-me/2026-11-23.md#8`. */
const citation = /(?<![\w./-])((?:[\w-][\w.-]*\/)*[\w-][\w.-]*\.md)#(?:L)?(\d{1,7})\b/g;

/** Escaped text, with what it cites from the notes as links to the very line. */
const cited = (text: string): string =>
  escaped(text).replace(
    citation,
    (whole, path: string, line: string) =>
      `<a href="/memory/note?path=${encodeURIComponent(path)}&#38;line=${line}#L${line}">${whole}</a>`,
  );

/** A text without what cannot be seen. */
export const plain = (text: string): string => text.replace(unseen, '');

/**
 * Markdown of anybody as HTML that can do nothing: markup in it is text, pictures are links that say what they are, links lead to the web
 * or below `base` (an address of the portal) only.
 */
export function markdown(text: string, link: (href: string) => string | undefined = webLink) {
  const anchor = (content: string, href: string) => {
    const to = link(href);
    if (to === undefined) return content;
    const away = /^https?:/.test(to) ? ' rel="noopener noreferrer" target="_blank"' : '';
    return `<a href="${escaped(to)}"${away}>${content}</a>`;
  };
  const cell = (tag: string) => (content: string) => `<${tag}>${content}</${tag}>`;
  const html = Bun.markdown.render(
    plain(text),
    {
      text: link === webLink ? cited : escaped,
      // Escaped by `text` already; should that ever change, nothing gets through here.
      html: (content) => content.replace(/[<>]/g, escaped),
      heading: (content, { level, id }) => {
        const tag = `h${Math.min(6, level + 1)}`;
        return `<${tag}${id === undefined ? '' : ` id="${escaped(id)}"`}>${content}</${tag}>`;
      },
      paragraph: cell('p'),
      blockquote: cell('blockquote'),
      code: (content) => `<pre tabindex="0"><code>${content}</code></pre>`,
      codespan: cell('code'),
      list: (content, { ordered, start }) =>
        ordered
          ? `<ol${start === undefined || start === 1 ? '' : ` start="${Number(start)}"`}>${content}</ol>`
          : `<ul>${content}</ul>`,
      listItem: (content, { checked }) => `<li>${checked === undefined ? '' : checked ? '☑ ' : '☐ '}${content}</li>`,
      hr: () => '<hr>',
      table: (content) => `<div class="scroll" tabindex="0"><table>${content}</table></div>`,
      thead: cell('thead'),
      tbody: cell('tbody'),
      tr: cell('tr'),
      th: cell('th'),
      td: cell('td'),
      strong: cell('strong'),
      emphasis: cell('em'),
      strikethrough: cell('del'),
      link: (content, { href }) => anchor(content, href),
      image: (content, { src }) =>
        `<span class="picture">picture: ${anchor(content === '' ? escaped(src) : content, src)}</span>`,
    },
    { noHtmlBlocks: true, noHtmlSpans: true, autolinks: { url: true }, headings: { ids: true } },
  );
  return raw(html);
}

/** The words of a Markdown text, on one line. */
export function unmarked(text: string): string {
  const words = (content: string) => `${content} `;
  const said = Bun.markdown.render(plain(text), {
    heading: words,
    paragraph: words,
    blockquote: words,
    code: words,
    listItem: words,
    th: words,
    td: words,
    link: (content) => content,
    image: (content) => content,
  });
  return said.replace(/\s+/g, ' ').trim();
}

function webLink(href: string): string | undefined {
  return /^https?:\/\/[^\s/]/i.test(href) ? href : undefined;
}
