import { readFileSync } from 'node:fs';
import { PxError } from '../error/error.ts';
import { checkConfig, type Problem } from './check.ts';
import { mayRepeatKey } from './repeat.ts';
import type { Config } from './schema.ts';

const maxBytes = 1_048_576;

/** The text of px.yaml; undefined when there is no file. Throws PxError `config.unreadable`. */
export async function readConfig(file: string): Promise<string | undefined> {
  let bytes: Uint8Array;
  try {
    // A small file, read once at start: asking the thread pool would cost more than reading it.
    bytes = readFileSync(file);
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new PxError('config.unreadable', `px.yaml cannot be read: ${why}`, {
      cause: thrown,
      hint: `Check who may read ${file}.`,
      data: { file },
    });
  }
  if (bytes.length > maxBytes)
    throw new PxError('config.unreadable', `px.yaml is larger than ${maxBytes} bytes`, { data: { file } });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new PxError('config.unreadable', 'px.yaml is not UTF-8 text', {
      cause,
      hint: `Save ${file} as UTF-8.`,
      data: { file },
    });
  }
}

/**
 * A px.yaml's text as Config with every default. Bun's own parser does it; only for a mistake the package `yaml` is loaded,
 * which knows lines. Throws PxError `config.unreadable`, `config.invalid`, `config.unknown-key` with the place as data.
 */
export async function parseConfig(text: string, file: string): Promise<Config> {
  const report = async (problems: Problem[]) => (await import('./report.ts')).configError(text, file, problems);
  let data: unknown;
  try {
    data = Bun.YAML.parse(text);
  } catch (thrown) {
    const { syntaxError } = await import('./report.ts');
    throw syntaxError(text, file, thrown);
  }
  if (mayRepeatKey(text)) {
    const { repeatedKey } = await import('./report.ts');
    const error = repeatedKey(text, file);
    if (error) throw error;
  }
  const result = checkConfig(data);
  if ('problems' in result) throw await report(result.problems);
  return result.config;
}
