export { libcName } from './child/libc.ts';

import type { ConfigStore } from '../config/config.ts';
import { PxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import type { Ask, Asked } from '../policy/policy.ts';
import type { Secrets } from '../secret/secret.ts';
import type { Store } from '../store/store.ts';
import type { Bus, Json, JsonSchema, PluginSummary } from '../wire/wire.ts';
import type { Told } from './download.ts';
import type { Send } from './http/request.ts';
import type { Signed } from './signature.ts';

/** A function a plugin exports, with its types as JSON Schema. */
export interface PluginFunction {
  /** `post-message`, or `iface#name` for one inside an exported interface: `project-x:demo/math@0.1.0#add`. */
  name: string;
  /** Parameters in order. */
  params: { name: string; schema: JsonSchema }[];
  /** Schema of the value; `null` when there is none. Errors come as PxError `plugin.guest`. */
  result: JsonSchema | null;
  docs: string;
  /** Why it cannot be called (resources, handles); empty when it can. */
  notCallable: string;
}

/** What a plugin asks for in its manifest `plugin.yaml`. */
export interface PluginManifest extends Asked {
  name: string;
  version: string;
  description: string;
  /** What a person has to do before it is of use, in its author's words; lines. Empty when there is nothing. */
  setup: string;
  /** Gives up every host function, whatever px.yaml grants; each call has a process of its own, so that nothing is left for the next. */
  sealed: boolean;
}

/** Everything known of a plugin before it runs. */
export interface PluginInfo extends PluginSummary {
  functions: PluginFunction[];
  imports: string[];
  manifest: PluginManifest;
  /** What the manifest asks for, each with whether px.yaml grants it. */
  asks: Ask[];
  /** Who signed it, as `trust.keys` in px.yaml calls them; empty when nobody did who is known. */
  signedBy: string;
  /** Tools the agent sees. */
  tools: PluginTool[];
}

/** A tool a plugin offers to the agent. */
export interface PluginTool {
  plugin: string;
  /** Unique over all plugins; `[a-zA-Z0-9_-]{1,64}`. */
  name: string;
  description: string;
  parameters: JsonSchema;
  /** Runs it. Text for the model; a guest's error is PxError `plugin.guest`. */
  call(args: { [key: string]: Json }, signal: AbortSignal): Promise<string>;
  /** A call is likely to come: its process is started meanwhile. */
  soon(): void;
}

/** A request a connector asks the host to hold open (its long poll). Plain values of host-api's `request` record. */
export interface HeldRequest {
  method: string;
  url: string;
  headers: [string, string][];
  body: Uint8Array | undefined;
  timeoutMs: number;
}

/** Which of the things a plugin asks for are granted: all, none, or these by their `rule`. */
export type GrantChoice = 'all' | 'none' | string[];

/** How a plugin is installed. */
export interface AddOptions {
  name?: string;
  replace?: boolean;
  /**
   * What of its asks px.yaml is to grant. Left out, a new plugin is granted nothing, and a new version that asks for more than is
   * granted and than the old one asked for is not installed: PxError `plugin.asks`.
   */
  grant?: GrantChoice;
  /** The digest of the file as a person was shown it, hex: another file is not installed. */
  sha256?: string;
}

/** Files of a request that px makes for a connector: their bytes never pass through the plugin. */
export interface HeldFiles {
  /** What stands in the body as `{{file:ID}}`. */
  out?: { id: string; path: string }[];
  /** Where the body of a good answer is kept; more than `maxBytes` is `too-large`, and nothing is kept. */
  into?: { path: string; maxBytes: number };
}

/** A WebSocket that px holds for a connector: no process of the plugin runs while nothing comes that it is told. */
export interface HeldSocket {
  /** Whether something has come that was not told yet. */
  readonly waiting: boolean;
  /** The next `socket-event` of the contract, in JSON, once there is one. After `closed` there is none. */
  next(): Promise<Json>;
  /**
   * Does what the answer of `on-socket` says beside its messages, which are stored by then: only now the cursor moves. Throws PxError
   * `plugin.guest`, and ends the connection, when a message is not allowed out.
   */
  handled(answer: Json): void;
  close(): void;
}

/** The Wasm host. */
export interface Plugins {
  /**
   * Installs a file (`.wasm`, `.ts`, `.js`), a folder with `plugin.yaml`, an https URL, `HOST/OWNER/NAME:TAG` of an OCI registry, or the
   * name of a plugin px carries. Everything is checked in a locked throw-away process first. Throws PxError `plugin.*`.
   */
  add(source: string, options?: AddOptions): Promise<PluginInfo>;
  /** Installs what its source has now. `updated` is false when that is the same file and asks for the same. Throws as `add`. */
  update(
    name: string,
    options?: Pick<AddOptions, 'grant' | 'sha256'>,
  ): Promise<{ updated: boolean; plugin: PluginInfo }>;
  /** Writes into px.yaml what of the plugin's asks is granted, and takes away what is revoked. */
  grant(name: string, choice: { grant?: GrantChoice; revoke?: GrantChoice }): Promise<PluginInfo>;
  list(): PluginSummary[];
  /** An installed plugin. Throws PxError `plugin.unknown`. */
  get(name: string): PluginInfo;
  /** An installed plugin, or a file that is not installed, under the name it would get. */
  inspect(nameOrFile: string, name?: string): Promise<PluginInfo>;
  remove(name: string): Promise<void>;
  /** Calls any exported function with JSON arguments. Starts the plugin's process when none runs. */
  call(name: string, fn: string, args: Json[], options?: { signal?: AbortSignal }): Promise<Json>;
  /** Ends the plugin's process now when no call runs or waits, without waiting for its idle time; the next call starts it again. */
  rest(name: string): void;
  /** Tools of all enabled plugins; the same array until something changes. From what was learnt at `add`; starts nothing. */
  tools(): PluginTool[];
  /** Does the request under the plugin's own grants, as if the plugin had called `http-request`: for long polls. Result as `on-wait` takes it (JSON mapping). */
  hold(name: string, request: Json, signal: AbortSignal, files?: HeldFiles): Promise<Json>;
  /**
   * Opens the WebSocket of `next-socket` (JSON) under the plugin's own grants; it ends with the signal. Throws PxError `plugin.guest` with
   * `denied:`, `unauthorized:` or `retry-after:` in its text where that is why.
   */
  socket(name: string, socket: Json, signal: AbortSignal): Promise<HeldSocket>;
  /** Recent log lines of a plugin, oldest first. */
  logs(name: string): { at: number; level: string; message: string }[];
  /** Reads the plugin's file and compares it with its digest. Throws PxError `plugin.invalid`. */
  check(name: string): void;
  /** Clears quarantine, also one from before a restart. */
  resume(name: string): void;
  /** Begins to call what px.yaml has called by the clock (`grants.schedule`). */
  startClock(): void;
  /** The layers of the sandbox on this machine: `seccomp: active`, … */
  layers(): Promise<Record<string, string>>;
  close(): Promise<void>;
}

/** What {@link openPlugins} works with. */
export interface PluginOptions {
  config: ConfigStore;
  store: Store;
  secrets: Secrets;
  log: Log;
  bus: Bus;
  /** Takes what a connector pushes with `emit-message` (its record in JSON): false when seen before; may throw PxError. */
  emit?: (plugin: string, message: Json) => boolean;
  /** Finds addresses of host names; the system's resolver when left out. */
  resolve?: (host: string) => Promise<string[]>;
  /** Certificates to trust besides the system's when plugins make requests, as PEM. */
  ca?: string;
  /** What stands in the place of the world outside when a plugin is tested: everything up to there is as it always is. */
  outside?: Outside;
}

/** The world outside px, scripted. */
export interface Outside {
  /** Does the requests that the broker let through, secrets filled in. */
  send: Send;
  /** What a plugin's clock begins with, in ms since 1970; the machine's time when undefined. */
  clock(): number | undefined;
  /** A folder that stands for the whole file system where folders are granted. */
  files: string;
}

/** Opens the Wasm host: reads which plugins are installed, and nothing else; no process is started. */
export async function openPlugins(options: PluginOptions): Promise<Plugins> {
  return (await import('./open.ts')).openPlugins(options);
}

/** The plugins that px carries: names, the digests of their files (hex), and whether a new home gets them without being asked. */
export async function carried(): Promise<{ name: string; sha256: string; given: boolean }[]> {
  const { bundledPlugins } = await import('./engine/bundled.ts');
  return Object.entries(await bundledPlugins()).map(([name, { file, given }]) => ({
    name,
    given,
    sha256: new Bun.CryptoHasher('sha256').update(file).digest('hex'),
  }));
}

/** A component with its manifest (what `plugin.yaml` says) inside. Throws PxError `plugin.invalid`. */
export async function packPlugin(component: Uint8Array, manifest: unknown): Promise<Uint8Array> {
  const [{ embedManifest }, { readManifest }] = await Promise.all([import('./embedded.ts'), import('./manifest.ts')]);
  const { file: _, ...inside } = readManifest(manifest ?? {}, 'plugin.yaml');
  return embedManifest(component, inside);
}

/** What the author of a plugin works with: templates, building, testing. */
export function loadAuthor(): Promise<typeof import('./author/author.ts')> {
  return import('./author/author.ts');
}

/** A new key pair for authors: the private one as PEM, the public one as `trust.keys` takes it. */
export async function newKeys(): Promise<{ privateKey: string; publicKey: string }> {
  return (await import('./signature.ts')).makeKeys();
}

/** The content of `FILE.sig` for a plugin's file, or for a px. Throws PxError `usage` when the key is none. */
export async function signPlugin(bytes: Uint8Array, privateKey: string, what?: Signed): Promise<string> {
  return (await import('./signature.ts')).signFile(bytes, privateKey, what);
}

/** The trusted key a px was signed with; undefined when it is of nobody known. Throws PxError `update.signature` when a trusted key's signature is wrong. */
export async function releaseSigner(sha256: string, signature: string, keys: string[]): Promise<string | undefined> {
  const { signerOf } = await import('./signature.ts');
  try {
    return await signerOf(sha256, signature, { keys, require: false }, 'release');
  } catch (cause) {
    throw new PxError('update.signature', cause instanceof Error ? cause.message : String(cause), {
      cause,
      hint: 'The file was changed after it was signed, or the signature is of another one.',
    });
  }
}

/** Whose a key is, as the list says after it; the key itself when it says nothing. */
export async function nameOfKey(key: string, keys: string[]): Promise<string> {
  return (await import('./signature.ts')).nameOf(key, keys);
}

/** Gets a file for a person, encrypted or from this machine, onto the disk (0600). Throws PxError `not-found`, `plugin.invalid`, `too-large`. */
export async function downloadFile(url: string, path: string, max: number, told?: Told): Promise<void> {
  await (await import('./download.ts')).downloadTo(url, path, max, told);
}

/** The hidden verb `__plugin`: the locked process one plugin runs in. `args` are the words after the verb. Never returns. */
export async function runPluginChild(args: string[] = process.argv.slice(3)): Promise<void> {
  const { pluginChild } = await import('./child/plugin.ts');
  await pluginChild(args);
}

/** The hidden verb `__prepare`: the locked throw-away process that checks and transpiles. Never returns. */
export async function runPrepareChild(args: string[] = process.argv.slice(3)): Promise<void> {
  const { prepareChild } = await import('./child/prepare.ts');
  await prepareChild(args);
}
