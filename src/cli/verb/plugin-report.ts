import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Client } from '../../client/client.ts';
import { table } from '../io.ts';

type Info = Awaited<ReturnType<Client['plugin']>>;

/** What a person wants to know of a plugin. */
export function pluginReport(info: Info): string {
  const functions = info.functions.map((f) => [
    `${f.name}(${f.params.map((p) => p.name).join(', ')})`,
    f.notCallable ? `not callable: ${f.notCallable}` : (f.docs.split('\n')[0] ?? ''),
  ]);
  const wants = [
    ...info.manifest.egress.map((rule) => `requests: ${rule}`),
    ...Object.entries(info.manifest.secrets).map(([name, places]) => `secret ${name}: ${places.join(', ')}`),
  ];
  return [
    table([
      ['name', `${info.name} ${info.version}`],
      ['kind', `${info.kind}, ${info.bytes} bytes, sha256 ${info.sha256.slice(0, 16)}…`],
      ['from', info.source],
      ['state', info.detail ? `${info.state}: ${info.detail}` : info.state],
      ['imports', info.imports.join(', ') || 'nothing'],
      ['tools', info.tools.map((tool) => tool.name).join(', ') || 'none'],
    ]),
    ...(functions.length > 0 ? ['', 'Functions', indent(table(functions))] : []),
    ...(wants.length > 0 ? ['', 'Asks for (grant it in px.yaml under plugins)', indent(wants.join('\n'))] : []),
  ].join('\n');
}

const indent = (text: string) => text.replace(/^/gm, '  ');

/** A path on this machine as the daemon can find it from its own folder; URLs and names stay. */
export function sourceOf(source: string): string {
  if (/^https?:\/\//.test(source)) return source;
  return /[/\\.]/.test(source) || existsSync(source) ? resolve(source) : source;
}
