import { configKeys } from './explain.ts';
import { ConfigSchema } from './schema.ts';

/** The reference of px.yaml as Markdown: one table a section, made from the schema. */
export function configReference(): string {
  const out = [
    '# px.yaml',
    '',
    'Every key has a default; an empty file is valid. Made from the schema in `src/config/`.',
  ];
  for (const key of configKeys()) {
    const nested = key.keys.length > 0;
    if (!key.key.includes('.')) {
      out.push('', `## \`${key.key}\``, '', ...(key.description ? [key.description, ''] : []));
      out.push('| key | value | default | what it does |', '|---|---|---|---|');
    }
    if (nested || (!key.key.includes('.') && key.key !== '')) continue;
    out.push(`| \`${key.key}\` | ${cell(key.type)} | ${shown(key.default)} | ${cell(key.description)} |`);
  }
  return `${out.join('\n')}\n`;
}

/** The JSON Schema of px.yaml, for editors: `# yaml-language-server: $schema=…`. */
export async function configJsonSchema(): Promise<Record<string, unknown>> {
  const { toJsonSchema } = await import('@valibot/to-json-schema');
  const schema = toJsonSchema(ConfigSchema, { typeMode: 'input', errorMode: 'ignore' });
  return { ...schema, title: 'px.yaml', description: 'Configuration of px.' };
}

function shown(value: unknown): string {
  return value === undefined ? '' : `\`${cell(JSON.stringify(value))}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
