import { type ConfigStore, defaultPlugin, type PluginConfig } from '../config/config.ts';
import { PxError } from '../error/error.ts';
import { type Ask, asksOf, grantOf } from '../policy/policy.ts';
import type { Told } from './download.ts';
import { type LearnOptions, learn } from './learn.ts';
import { completeManifest, type PartialManifest, pluginName } from './manifest.ts';
import type { AddOptions, GrantChoice, PluginManifest } from './plugin.ts';
import type { PrepareOptions } from './prepare.ts';
import type { Entry } from './registry.ts';
import { signerOf } from './signature.ts';
import { readSource, type SourceFile } from './source.ts';

/** A plugin that was looked at and is not installed. */
export interface Seen {
  entry: Entry;
  bytes: Uint8Array;
}

/** Reads a plugin from wherever it is, checks who signed it, and learns what it is in a locked process. Throws PxError. */
export async function look(
  source: string,
  name: string | undefined,
  config: ConfigStore,
  options: (name: string, asked: Record<string, number>) => LearnOptions,
  only: 'to look' | 'to install',
  resolve: (reference: string) => string,
  told?: Told,
): Promise<Seen> {
  const { trust, registries } = config.current;
  const loginOf = (host: string) => {
    const login = Object.hasOwn(registries, host) ? registries[host] : undefined;
    return login && { user: login.user, password: resolve(login.password) };
  };
  const file = await readSource(source, trust.keys.length > 0 || trust.require, loginOf, told);
  const own = file.source.startsWith('px:');
  const digest = new Bun.CryptoHasher('sha256').update(file.bytes).digest('hex');
  // What px carries is as trusted as px itself.
  const signer = own
    ? 'px'
    : await signerOf(digest, file.signature, only === 'to look' ? { ...trust, require: false } : trust);
  // A signature is of one file: what that imports from beside it, and plugin.yaml there, anybody may have changed.
  const { beside = {}, ...signed } = file;
  const said = signer === undefined ? { ...file.manifest, ...beside } : file.manifest;
  const learning = options(pluginName(name ?? said.name ?? 'new'), said.limits ?? {});
  if (signer === undefined) {
    const whole = await withImports(file, learning.prepare, [config.env.userHome, config.home.root]);
    return { bytes: whole.bytes, entry: await learn(whole, name, learning) };
  }
  const entry = await learn(signed, name, learning);
  refuseOther(beside, entry.manifest, name === undefined);
  return { bytes: file.bytes, entry: { ...entry, signer } };
}

/** Refuses a plugin.yaml that says something else than the signed file beside it. Throws PxError `plugin.signature`. */
function refuseOther(beside: PartialManifest, signed: PluginManifest, named: boolean): void {
  const whole = { ...completeManifest(beside, signed.name), ...(named && beside.name ? { name: beside.name } : {}) };
  const other = Object.entries(whole)
    .filter(([key, value]) => key in beside && !Bun.deepEquals(value, { ...signed }[key]))
    .map(([key]) => key);
  if (other.length === 0) return;
  throw new PxError(
    'plugin.signature',
    `plugin.yaml beside it says something else than the signed file: ${other.join(', ')}`,
    {
      hint: 'What it asks for has to be signed too. Put it into the file (px plugin pack, or px plugin build of a script) and sign that; or take the file without plugin.yaml.',
    },
  );
}

/** A script with what it imports from its folder and its packages in it; anything else as it is. */
async function withImports(file: SourceFile, prepare: PrepareOptions, apart: string[]): Promise<SourceFile> {
  if (file.path === undefined) return file;
  const { bundleFolder, importsMore } = await import('./engine/folder.ts');
  if (!importsMore(new TextDecoder().decode(file.bytes))) return file;
  const code = await bundleFolder(prepare, file.path, apart);
  return { ...file, bytes: new TextEncoder().encode(code), filename: file.filename.replace(/\.[cm]?[jt]s$/i, '.js') };
}

/** What stands against putting a plugin in place, before a person has agreed. Throws PxError `conflict`, `plugin.asks`, `usage`. */
function agree(seen: Entry, old: Entry | undefined, config: PluginConfig, options: AddOptions): void {
  const { name, version } = seen.manifest;
  if (options.sha256 !== undefined && options.sha256 !== seen.sha256)
    throw new PxError('conflict', `the file of ${name} is another than the one that was shown`, {
      hint: 'Look at it again: it changed meanwhile.',
    });
  if (old?.signer !== undefined && seen.signer === undefined && seen.source === old.source)
    throw new PxError(
      'plugin.signature',
      `${name} ${version} is not signed by anyone trusted, and ${old.manifest.version} was`,
      {
        hint: 'Whoever made it would have signed it. To take it all the same: px plugin remove, then px plugin add.',
      },
    );
  chosen(options.grant, seen, config);
  if (!old || options.grant !== undefined) return;
  const asks = asksOf(seen.manifest, config);
  const was = old.manifest.version;
  const refuse = (why: string, named: Ask[], hint: string, shown = named) => {
    const list = named.map((ask) => ask.text).join('; ');
    const data = { name, version, sha256: seen.sha256, asks: shown };
    throw new PxError('plugin.asks', `${name} ${version} ${why}: ${list}`, { hint: `${was} stays. ${hint}`, data });
  };
  if (isMoved(seen, old)) {
    const granted = asks.filter((ask) => ask.granted);
    const why = `is not from ${old.source}, as ${was} is, and asks for what that was granted`;
    if (granted.length > 0)
      refuse(why, granted, 'Agree with --yes (grants all it asks for) or --grant none (nothing).', asks);
    return;
  }
  const before = new Set(asksOf(old.manifest, config).map((ask) => ask.rule));
  const more = asks.filter((ask) => !ask.granted && !before.has(ask.rule));
  const how = `Agree with: px plugin update ${name} --yes (grants it) or --grant none (does not).`;
  if (more.length > 0) refuse(`asks for more than ${was}`, more, how);
}

/** Whether a plugin comes from elsewhere than the one it takes the place of: then it is another one, whatever it is called. */
const isMoved = (seen: Pick<Entry, 'source'>, old: Pick<Entry, 'source'> | undefined): boolean =>
  old !== undefined && old.source !== seen.source;

/**
 * Writes into px.yaml what a plugin is granted that takes its place now, and gives what is noted of that. Throws PxError `plugin.asks` when
 * somebody has to agree first, and `usage`.
 */
export async function settle(
  entry: Entry,
  old: Entry | undefined,
  config: ConfigStore,
  held: () => PluginConfig,
  given: AddOptions,
): Promise<Pick<Entry, 'former'> & { granted: string[] }> {
  agree(entry, old, held(), given);
  // What the old one was granted is not for whoever takes its name.
  if (old && isMoved(entry, old)) await writeGrants(old, config, held, { revoke: 'all' });
  await writeGrants(entry, config, held, { grant: given.grant });
  return { ...formerAsks(old, entry, held()), granted: grantedOf(entry, held()) };
}

/** Writes what a person chose into px.yaml. Throws PxError `usage` for a rule that the plugin does not ask for. */
export async function writeGrants(
  entry: Entry,
  config: ConfigStore,
  held: () => PluginConfig,
  choice: { grant?: GrantChoice | undefined; revoke?: GrantChoice | undefined },
): Promise<void> {
  const { name } = entry.manifest;
  const at = (path: string) => `plugins.${name}.${path}`;
  const revoked = chosen(choice.revoke, entry, held());
  if (choice.revoke === 'all') for (const rule of entry.former ?? []) revoked.add(rule);
  for (const [path, value] of takenBack(revoked, held())) await config.set(at(path), value);
  const granted = chosen(choice.grant, entry, held());
  for (const [path, value] of grantOf(granted, entry.manifest, held())) await config.set(at(path), value);
}

/** Takes back what a plugin was granted that goes, so that whatever gets its name next has to ask; its entry too when nothing else stands there. */
export async function takeAllBack(entry: Entry, config: ConfigStore, held: () => PluginConfig): Promise<void> {
  await writeGrants(entry, config, held, { revoke: 'all' });
  const { name } = entry.manifest;
  if (Bun.deepEquals(config.current.plugins[name], defaultPlugin())) await config.set(`plugins.${name}`, undefined);
}

/** The rules a choice means. Throws PxError `usage` for one that the plugin does not ask for. */
function chosen(choice: GrantChoice | undefined, entry: Entry, held: PluginConfig): Set<string> {
  const asks = asksOf(entry.manifest, held).map((ask) => ask.rule);
  if (choice === undefined || choice === 'none') return new Set();
  if (choice === 'all') return new Set(asks);
  const unknown = choice.find((rule) => !asks.includes(rule));
  if (unknown === undefined) return new Set(choice);
  throw new PxError('usage', `${entry.manifest.name} does not ask for ${JSON.stringify(unknown.slice(0, 200))}`, {
    hint: asks.length === 0 ? 'It asks for nothing.' : `It asks for: ${asks.join('; ')}`,
  });
}

/** The edits that take granted asks away again: those that stand in px.yaml in the very words of the ask, folders and limits by their name. */
function takenBack(rules: ReadonlySet<string>, { grants, limits }: PluginConfig): [path: string, value: unknown][] {
  const edits: [string, unknown][] = [];
  const without = (path: string, from: string[], kind: string) => {
    const left = from.filter((one) => !rules.has(`${kind} ${one}`));
    if (left.length < from.length) edits.push([path, left.length > 0 ? left : undefined]);
  };
  const named = (kind: string, name: string) => [...rules].some((rule) => rule.startsWith(`${kind} ${name} `));
  without('grants.egress', grants.egress, 'egress');
  without('grants.private_hosts', grants.private_hosts, 'private');
  for (const [name, lines] of Object.entries(grants.secrets))
    without(`grants.secrets.${JSON.stringify(name)}`, lines, `secret ${name}`);
  for (const name of Object.keys(grants.files))
    if (named('folder', name)) edits.push([`grants.files.${name}`, undefined]);
  for (const [fn, time] of Object.entries(grants.schedule))
    if (rules.has(`schedule ${fn} ${time}`)) edits.push([`grants.schedule.${JSON.stringify(fn)}`, undefined]);
  for (const name of Object.keys(limits)) if (named('limit', name)) edits.push([`limits.${name}`, undefined]);
  return edits;
}

/** What versions before asked for, the new one does not, and px.yaml grants: it stays until the plugin goes, and goes with it. */
function formerAsks(old: Entry | undefined, entry: Entry, held: PluginConfig): Pick<Entry, 'former'> {
  if (!old || isMoved(entry, old)) return {};
  const now = new Set(asksOf(entry.manifest, held).map((ask) => ask.rule));
  const asked = new Set([...(old.former ?? []), ...asksOf(old.manifest, held).map((ask) => ask.rule)]);
  const former = [...asked].filter((rule) => !now.has(rule) && takenBack(new Set([rule]), held).length > 0);
  return former.length > 0 ? { former } : {};
}

/** The rules among a plugin's asks that px.yaml grants. */
export function grantedOf(entry: Entry, held: PluginConfig): string[] {
  return asksOf(entry.manifest, held)
    .filter((ask: Ask) => ask.granted)
    .map((ask) => ask.rule);
}
