/** @jsxImportSource hono/jsx */
import { plain } from './markdown.ts';

/** A unified diff, line by line; a screen reader is told what came and what went. */
export function Diff({ text }: { text: string }) {
  const lines = text.replace(/\n$/, '').split('\n');
  return (
    <section class="diff" aria-label="The change" tabindex={0}>
      {lines.map((line) => (
        <span class={kindOf(line)}>{plain(line) === '' ? ' ' : plain(line)}</span>
      ))}
    </section>
  );
}

function kindOf(line: string): string {
  if (line.startsWith('@@') || line.startsWith('+++') || line.startsWith('---')) return 'at';
  if (line.startsWith('+')) return 'in';
  return line.startsWith('-') ? 'out' : '';
}
