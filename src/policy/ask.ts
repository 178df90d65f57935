import { defaultPlugin, type PluginConfig, requestsPerMinute } from '../config/config.ts';
import { parseEgress } from './egress.ts';
import { parseFolder } from './folder.ts';
import { parseSecretTarget, placeCovers, type SecretPlace } from './place.ts';
import type { EgressRule } from './policy.ts';
import { type Target, usualPort } from './target.ts';

/** What a plugin asks for in its manifest: the same fields that px.yaml grants. */
export interface Asked {
  egress: string[];
  private_hosts: string[];
  secrets: Record<string, string[]>;
  /** Folders by the name the plugin calls them, as `write ~/notes`: which folder that is, the person decides. */
  files: Record<string, string>;
  schedule: Record<string, string>;
  /** By their names in px.yaml: `memory_mb: 128`. */
  limits: Record<string, number>;
}
type Limits = PluginConfig['limits'];

/** What a plugin has: its entry of px.yaml with every default. */
export type Held = Pick<PluginConfig, 'grants' | 'limits'>;

/** One thing a plugin asks for. */
export interface Ask {
  /** Names it, for `--grant` and the API: `egress GET https://api.example.com/`, `limit memory_mb 128`. */
  rule: string;
  kind: 'egress' | 'private' | 'secret' | 'folder' | 'schedule' | 'limit';
  /** In plain words, after "It asks to". */
  text: string;
  /** Whether px.yaml grants it already, in these words or wider. */
  granted: boolean;
}

/** Everything a plugin asks for, each with whether it has it. Throws PxError `config.invalid` for a rule that cannot be read. */
export function asksOf(asked: Asked, held: Held): Ask[] {
  const { grants, limits } = held;
  const usual = defaultPlugin().limits;
  const has = grants.egress.flatMap((rule) => readable(() => parseEgress(rule)));
  return [
    ...asked.egress.map((rule): Ask => {
      const wanted = parseEgress(rule);
      return { kind: 'egress', rule: `egress ${rule}`, text: egressText(wanted), granted: egressHeld(wanted, has) };
    }),
    ...asked.private_hosts.map(
      (host): Ask => ({
        kind: 'private',
        rule: `private ${host}`,
        text: `reach ${host} on your own network or this machine`,
        granted: grants.private_hosts.includes(host),
      }),
    ),
    ...Object.entries(asked.secrets).flatMap(([name, lines]) =>
      lines.map(
        (line): Ask => ({
          kind: 'secret',
          rule: `secret ${name} ${line}`,
          text: secretText(name, line),
          granted: secretHeld(line, Object.hasOwn(grants.secrets, name) ? (grants.secrets[name] ?? []) : []),
        }),
      ),
    ),
    ...Object.entries(asked.files).map(
      ([name, rule]): Ask => ({
        kind: 'folder',
        rule: `folder ${name} ${rule}`,
        text: folderText(name, rule),
        granted: Object.hasOwn(grants.files, name) && folderHeld(rule, grants.files[name] ?? ''),
      }),
    ),
    ...Object.entries(asked.schedule).map(
      ([fn, time]): Ask => ({
        kind: 'schedule',
        rule: `schedule ${fn} ${time}`,
        text: `be run by the clock: ${fn} at \`${time}\``,
        granted: Object.hasOwn(grants.schedule, fn) && grants.schedule[fn] === time,
      }),
    ),
    ...limitNames.flatMap((name): Ask[] => {
      const wanted = asked.limits[name];
      // What every plugin has needs nobody's leave. Only the requests a minute have no default in px.yaml: a connector has more than others.
      const has = limits[name] ?? requestsPerMinute.plugin;
      if (wanted === undefined || (has >= wanted && wanted <= (usual[name] ?? requestsPerMinute.plugin))) return [];
      const [words, amount] = limitWords[name];
      const text = `${words.replace('#', amount(wanted))} (now ${amount(has)})`;
      return [{ kind: 'limit', rule: `limit ${name} ${wanted}`, text, granted: has >= wanted }];
    }),
  ];
}

/** The edits of a plugin's entry in px.yaml, by key below `plugins.NAME`, that grant these of its asks. */
export function grantOf(rules: ReadonlySet<string>, asked: Asked, held: Held): [path: string, value: unknown][] {
  const { grants } = held;
  const open = asksOf(asked, held).filter((ask) => rules.has(ask.rule) && !ask.granted);
  const of = (kind: Ask['kind']) => new Set(open.filter((ask) => ask.kind === kind).map((ask) => ask.rule));
  const edits: [string, unknown][] = [];
  const list = (key: 'egress' | 'private_hosts', kind: 'egress' | 'private') => {
    const added = asked[key].filter((rule) => of(kind).has(`${kind} ${rule}`));
    if (added.length > 0) edits.push([`grants.${key}`, [...new Set([...grants[key], ...added])]]);
  };
  list('egress', 'egress');
  list('private_hosts', 'private');
  for (const [name, lines] of Object.entries(asked.secrets)) {
    const added = lines.filter((line) => of('secret').has(`secret ${name} ${line}`));
    const old = Object.hasOwn(grants.secrets, name) ? (grants.secrets[name] ?? []) : [];
    if (added.length > 0) edits.push([`grants.secrets.${JSON.stringify(name)}`, [...new Set([...old, ...added])]]);
  }
  for (const [name, rule] of Object.entries(asked.files))
    if (of('folder').has(`folder ${name} ${rule}`)) edits.push([`grants.files.${name}`, rule]);
  for (const [fn, time] of Object.entries(asked.schedule))
    if (of('schedule').has(`schedule ${fn} ${time}`)) edits.push([`grants.schedule.${JSON.stringify(fn)}`, time]);
  for (const name of limitNames)
    if (of('limit').has(`limit ${name} ${asked.limits[name]}`)) edits.push([`limits.${name}`, asked.limits[name]]);
  return edits;
}

function egressHeld(wanted: EgressRule, has: EgressRule[]): boolean {
  return wanted.methods.every((method) =>
    has.some((rule) => targetCovers(rule, wanted) && (rule.methods.includes('*') || rule.methods.includes(method))),
  );
}

/** Any folder of that name answers it, when the plugin may do there what it asks to. */
function folderHeld(wanted: string, rule: string): boolean {
  return readable(() => parseFolder(rule)).some(({ write }) => write || !parseFolder(wanted).write);
}

function folderText(name: string, rule: string): string {
  const { path, write } = parseFolder(rule);
  return `${write ? 'read, write and delete' : 'read'} files in ${path} and below, which it calls ${name}`;
}

function secretHeld(line: string, lines: string[]): boolean {
  const wanted = parseSecretTarget(line);
  return lines
    .flatMap((one) => readable(() => parseSecretTarget(one)))
    .some(
      ({ places, target }) =>
        targetCovers(target, wanted.target) &&
        (places.length === 0 ||
          (wanted.places.length > 0 &&
            wanted.places.every((place) => places.some((granted) => placeCovers(granted, place))))),
    );
}

/** Whether everything below one target is below another. */
function targetCovers(granted: Target, wanted: Target): boolean {
  const host =
    granted.host === '*' ||
    granted.host === wanted.host ||
    (granted.host.startsWith('*.') && wanted.host.endsWith(granted.host.slice(1)));
  return (
    host &&
    granted.scheme === wanted.scheme &&
    granted.port === wanted.port &&
    wanted.pathPrefix.startsWith(granted.pathPrefix)
  );
}

/** A rule of px.yaml that cannot be read grants nothing. */
function readable<T>(read: () => T): T[] {
  try {
    return [read()];
  } catch {
    return [];
  }
}

function egressText(rule: EgressRule): string {
  if (isSocket(rule)) return `hold a WebSocket to ${placeWords(rule)}, over which it gets and sends messages`;
  const methods = rule.methods.includes('*') ? 'any' : rule.methods.join(', ').replace(/, (?=\w+$)/, ' and ');
  return `make ${methods} requests to ${placeWords(rule)}`;
}

function secretText(name: string, line: string): string {
  const { places, target } = parseSecretTarget(line);
  const anywhere = isSocket(target) ? 'anywhere in the request and the messages' : 'anywhere in the request';
  const where =
    places.length === 0 ? anywhere : places.map((place) => secretWords(place, isSocket(target))).join(' or ');
  return `send the secret ${name} to ${placeWords(target)}, ${where}`;
}

const isSocket = ({ scheme }: Target) => scheme === 'ws' || scheme === 'wss';

function secretWords({ in: kind, name }: SecretPlace, socket: boolean): string {
  if (kind === 'bearer') return 'as the bearer token';
  if (kind === 'basic') return 'as the password (basic)';
  if (kind === 'path') return 'in the path';
  const what = { header: 'header', query: 'query field', body: socket ? 'message field' : 'body field' }[kind];
  return name === undefined ? `in any ${what}` : `in the ${what} ${name}`;
}

function placeWords({ scheme, host, port, pathPrefix }: Target): string {
  const standard = port === usualPort(scheme);
  const where =
    host === '*'
      ? `any ${scheme} host of the internet`
      : host.startsWith('*.')
        ? `every ${scheme} host below ${host.slice(2)}`
        : `${scheme}://${host}`;
  const at = standard ? '' : host.includes('*') ? `, port ${port}` : `:${port}`;
  const below = pathPrefix === '/' ? '' : ` below ${pathPrefix}`;
  return `${where}${at}${below}${scheme === 'http' || scheme === 'ws' ? ' (not encrypted)' : ''}`;
}

const bytes = (n: number) => (n >= 1_048_576 ? `${+(n / 1_048_576).toFixed(1)} MiB` : `${Math.ceil(n / 1024)} KiB`);
const time = (ms: number) => (ms >= 1000 ? `${+(ms / 1000).toFixed(1)} s` : `${ms} ms`);
const count = (n: number) => String(n);
/** How a limit is said, `#` for how much; and how much is written. */
const limitWords: Record<keyof Limits, [words: string, amount: (n: number) => string]> = {
  memory_mb: ['use up to # of memory', (n) => `${n} MiB`],
  cpu_ms: ['compute for up to # a call', time],
  wall_ms: ['take up to # for a call', time],
  idle_ms: ['stay in memory for up to # after a call', time],
  kv_bytes: ['store up to #', bytes],
  http_bytes: ['receive answers of up to #', bytes],
  http_per_minute: ['make up to # requests a minute', count],
  calls_per_minute: ['be called up to # times a minute', count],
  host_calls: ['call px up to # times in a call', count],
  log_per_minute: ['log up to # lines a minute', count],
  file_bytes: ['read or write up to # of a file at once', bytes],
  folder_files: ['add to folders of up to # files', count],
  folder_bytes: ['add to folders of up to #', bytes],
  output_bytes: ['give results of up to #', bytes],
};

const limitNames = Object.keys(limitWords).filter((name): name is keyof Limits => Object.hasOwn(limitWords, name));
