/**
 * Writes docs/reference/ from the code, or with --check says which page is stale.
 * usage: bun scripts/docs.ts [--check]
 */
import { join, resolve } from 'node:path';
import { configJsonSchema, configReference } from '../src/config/config.ts';
import { errorCodes } from '../src/error/error.ts';
import { cliReference } from './docs-cli.ts';
import { httpReference } from './docs-http.ts';
import { witReference } from './docs-wit.ts';

function errorReference(): string {
  const rows = Object.entries(errorCodes).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`);
  return [
    '# Error codes',
    '',
    'Codes are stable: they are added, never renamed.',
    '',
    '| code | meaning |',
    '|---|---|',
    ...rows,
    '',
  ].join('\n');
}

const pages: Record<string, () => string | Promise<string>> = {
  'cli.md': cliReference,
  'config.md': configReference,
  'config.schema.json': async () => `${JSON.stringify(await configJsonSchema(), null, 2)}\n`,
  'errors.md': errorReference,
  'openapi.json': httpReference,
  'wit.md': witReference,
};

const folder = resolve(import.meta.dir, '../docs/reference');
const stale: string[] = [];
for (const [name, make] of Object.entries(pages)) {
  const file = join(folder, name);
  const now = await make();
  const before = await Bun.file(file)
    .text()
    .catch(() => '');
  if (now === before) continue;
  stale.push(name);
  if (!process.argv.includes('--check')) await Bun.write(file, now);
}
if (process.argv.includes('--check') && stale.length > 0) {
  console.error(`stale in docs/reference: ${stale.join(', ')}\nrun: bun scripts/docs.ts`);
  process.exit(1);
}
if (stale.length > 0) console.log(`written: ${stale.join(', ')}`);
