import { join } from 'node:path';
import { readWit, type WitItem } from '../src/plugin/author/wit-docs.ts';

/** docs/reference/wit.md: the contract of wit/core.wit, with its own words. */
export async function witReference(): Promise<string> {
  const items = readWit(await Bun.file(join(import.meta.dir, '../wit/core.wit')).text());
  const head = items.find((i) => i.kind === 'package');
  const parts = items.filter((i) => i.kind === 'interface' || i.kind === 'world').map(section);
  return [
    '# The plugin contract',
    '',
    `\`${head?.name ?? ''}\`, in [wit/core.wit](../../wit/core.wit).`,
    '',
    head?.docs ?? '',
    '',
    ...parts,
  ].join('\n');
}

function section(item: WitItem): string {
  const out = [`## ${item.kind} \`${item.name}\``, '', ...(item.docs ? [item.docs, ''] : [])];
  const plain = item.items.filter((i) => i.kind === 'import' || i.kind === 'use' || i.kind === 'include');
  if (plain.length)
    out.push(
      plain.map((i) => `\`${i.text.replaceAll('. {', '.{').replaceAll('{ ', '{').replaceAll(' }', '}')}\``).join(', '),
      '',
    );
  for (const i of item.items.filter((i) => i.kind === 'func' || i.kind === 'export'))
    out.push(`### \`${i.name}\``, '', '```wit', i.text, '```', '', ...(i.docs ? [i.docs, ''] : []));
  for (const i of item.items.filter((i) => i.items.length > 0)) out.push(...type(i));
  return out.join('\n');
}

function type(item: WitItem): string[] {
  const rows = item.items.map((f) => `| \`${f.text.replaceAll('|', '\\|')}\` | ${f.docs.replaceAll('\n', ' ')} |`);
  return [
    `### ${item.kind} \`${item.name}\``,
    '',
    ...(item.docs ? [item.docs, ''] : []),
    '| | |',
    '|---|---|',
    ...rows,
    '',
  ];
}
