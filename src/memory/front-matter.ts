import { YAML } from 'bun';

/**
 * The tags a note's front matter gives to all of it, in small letters and without `#`, from the note's first passage: `tags: [a, b]`, a list of
 * lines, or words in one line. None where there is no front matter, or none that can be read.
 */
export function frontTags(passage: string): string[] {
  const [, front] = /^---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/.exec(passage) ?? [];
  if (front === undefined) return [];
  let read: unknown;
  try {
    read = YAML.parse(front);
  } catch {
    return [];
  }
  if (typeof read !== 'object' || read === null) return [];
  return [Reflect.get(read, 'tags'), Reflect.get(read, 'tag')]
    .flatMap((tags): unknown[] =>
      typeof tags === 'string' ? tags.split(/[\s,]+/) : Array.isArray(tags) ? tags : [tags],
    )
    .filter((tag) => typeof tag === 'string' || typeof tag === 'number')
    .map((tag) => String(tag).trim().replace(/^#/, '').toLowerCase())
    .filter((tag) => tag !== '');
}
