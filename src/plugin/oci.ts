import * as v from 'valibot';
import { PxError } from '../error/error.ts';
import { download, type Fetched, type Told } from './download.ts';

/** Where a component is in an OCI registry: `ghcr.io/owner/name:tag`. */
export interface OciRef {
  /** `ghcr.io`, `127.0.0.1:5000`. */
  host: string;
  /** `owner/name`. */
  repository: string;
  /** A tag, or `sha256:…`. */
  reference: string;
}

const host = String.raw`(?:localhost|\[::1\]|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+)(?::\d{1,5})?`;
const part = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const form = new RegExp(
  `^(oci://)?(${host})/(${part}(?:/${part})*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`,
);

/** Reads `[oci://]HOST/OWNER/NAME[:TAG][@sha256:…]`; undefined when a text is none. Without `oci://` it has to have a tag or digest. */
export function parseOci(text: string): OciRef | undefined {
  const [, scheme, host, repository, tag, digest] = form.exec(text) ?? [];
  if (host === undefined || repository === undefined) return undefined;
  if (scheme === undefined && tag === undefined && digest === undefined) return undefined;
  if (host === 'docker.io')
    return {
      host: 'registry-1.docker.io',
      repository: repository.includes('/') ? repository : `library/${repository}`,
      reference: digest ?? tag ?? 'latest',
    };
  return { host, repository, reference: digest ?? tag ?? 'latest' };
}

/** What to type for a text that was surely meant as a place in a registry, and is none; undefined for any other. */
export function nearlyOci(text: string): string | undefined {
  const [, namespace, name, version = 'VERSION'] = /^([a-z][a-z0-9-]*):([a-z][a-z0-9-]*)(?:@(\S+))?$/.exec(text) ?? [];
  if (namespace !== undefined)
    return `That is the name of a package. Give the place it is published at: HOST/…/${namespace}/${name}:${version}`;
  if (parseOci(text.toLowerCase())) return 'In a registry names and digests are in small letters.';
  if (!new RegExp(`^(oci://)?${host}/`).test(text)) return undefined;
  if (text.includes('@')) return 'A digest in a registry is @sha256: and 64 hex digits.';
  return parseOci(`${text}:latest`) && `From a registry: px plugin add ${text}:latest`;
}

const types = {
  manifest: ['application/vnd.oci.image.manifest.v1+json', 'application/vnd.docker.distribution.manifest.v2+json'],
  index: ['application/vnd.oci.image.index.v1+json', 'application/vnd.docker.distribution.manifest.list.v2+json'],
  /** As the Wasm ecosystem publishes components today, and as it did before. */
  layer: ['application/wasm', 'application/vnd.wasm.content.layer.v1+wasm'],
  script: ['text/javascript', 'application/javascript'],
};
const keys = {
  /** What else would stand in `FILE.sig`. */
  signature: 'px.plugin.signature',
  version: 'org.opencontainers.image.version',
  description: 'org.opencontainers.image.description',
};
const maxManifest = 4 * 1_048_576;

const digest = v.pipe(v.string(), v.regex(/^sha256:[0-9a-f]{64}$/));
const annotations = v.optional(v.record(v.string(), v.string()), {});
const Index = v.object({
  manifests: v.array(v.object({ digest, platform: v.optional(v.object({ architecture: v.string() })) })),
});
const Manifest = v.object({
  layers: v.array(v.object({ mediaType: v.string(), digest, size: v.number(), annotations })),
  annotations,
});

/** Who px is to a registry: user and password, by its host as px.yaml names it. Throws PxError `secret.missing`. */
export type LoginOf = (host: string) => { user: string; password: string } | undefined;

/** A plugin's file out of a registry. */
export interface Pulled {
  bytes: Uint8Array;
  kind: 'component' | 'script';
  signature: string | undefined;
  /** What its publisher says beside it; no signature covers that. */
  said: { version?: string; description?: string };
}

/**
 * Fetches a plugin from a registry, each piece checked against its digest. As anybody first: who px is is said when the registry asks, to it
 * and to the server it names for tokens. Throws PxError `not-found`, `plugin.invalid`, `too-large`.
 */
export async function pullPlugin(ref: OciRef, maxBytes: number, loginOf: LoginOf, told?: Told): Promise<Pulled> {
  let scheme = isLocal(ref) ? 'http' : 'https';
  let authorization: string | undefined;
  const get = async (path: string, max: number, accept: string[], watch?: Told): Promise<Fetched> => {
    const ask = () =>
      download(
        `${scheme}://${ref.host}/v2/${ref.repository}/${path}`,
        max,
        { accept: accept.join(', '), ...(authorization === undefined ? {} : { authorization }) },
        watch,
      );
    let answer = await ask();
    // One on this machine may be encrypted too: that is how such a server answers who does not know.
    if (answer.status === 400 && scheme === 'http') {
      scheme = 'https';
      answer = await ask();
    }
    if (answer.status === 401 && authorization === undefined) {
      authorization = await authorize(answer.headers.get('www-authenticate') ?? '', ref, loginOf);
      answer = await ask();
    }
    if (answer.status === 200) return answer;
    const what = shown(ref);
    if (answer.status === 404) throw new PxError('not-found', `${what}: there is no such thing in the registry`);
    if (answer.status === 401 || answer.status === 403)
      throw new PxError('plugin.invalid', `${what}: the registry does not give it to px (${answer.status})`, {
        hint: hint(ref, loginOf),
      });
    throw new PxError('plugin.invalid', `${what}: the registry answered ${answer.status}`, {
      retryable: answer.status >= 500,
    });
  };
  const manifestOf = async (reference: string, deep: boolean): Promise<v.InferOutput<typeof Manifest>> => {
    const { bytes } = await get(`manifests/${reference}`, maxManifest, [...types.manifest, ...types.index]);
    if (reference.startsWith('sha256:')) checkDigest(bytes, reference);
    const json = parse(bytes);
    const index = v.safeParse(Index, json);
    if (!index.success) return read(Manifest, json);
    const { manifests } = index.output;
    const chosen = manifests.find((one) => one.platform?.architecture === 'wasm') ?? manifests[0];
    if (!chosen || deep) throw new PxError('plugin.invalid', `${shown(ref)} holds no plugin`);
    return manifestOf(chosen.digest, true);
  };
  const manifest = await manifestOf(ref.reference, false);
  const layerOf = (wanted: string[]) => manifest.layers.find(({ mediaType }) => wanted.includes(mediaType));
  const component = layerOf(types.layer);
  const layer = component ?? layerOf(types.script);
  if (!layer)
    throw new PxError('plugin.invalid', `${shown(ref)} holds no plugin`, {
      hint: 'A component is published as one layer of type application/wasm, a script as one of type text/javascript.',
    });
  const { bytes } = await get(`blobs/${layer.digest}`, maxBytes, ['*/*'], told);
  checkDigest(bytes, layer.digest);
  const note = (key: string) => layer.annotations[key] ?? manifest.annotations[key];
  const [version, description] = [note(keys.version), note(keys.description)];
  return {
    bytes,
    kind: component ? 'component' : 'script',
    signature: note(keys.signature),
    said: { ...(version ? { version } : {}), ...(description ? { description: description.slice(0, 1000) } : {}) },
  };
}

/** As people write it: `ghcr.io/owner/name:tag`. */
const shown = (ref: OciRef) =>
  `${named(ref)}/${ref.repository}${ref.reference.startsWith('sha256:') ? '@' : ':'}${ref.reference}`;

const isLocal = (ref: OciRef) => /^(localhost|127\.0\.0\.1|\[::1\])(:|$)/.test(ref.host);

/** The host as people write it, and px.yaml. */
const named = ({ host }: OciRef) => (host === 'registry-1.docker.io' ? 'docker.io' : host);

function hint(ref: OciRef, loginOf: LoginOf): string {
  const key = `registries.${JSON.stringify(named(ref))}`;
  return loginOf(named(ref))
    ? `Is the name right, and may the user of ${key} in px.yaml read it?`
    : `Is the name right? What is not for anybody wants to know who you are: px secret set REGISTRY, then px config set '${key}' '{"user": "NAME", "password": "secret:REGISTRY"}'`;
}

/** What a registry that asked who px is wants to be told: its name and password, or a token for reading. */
async function authorize(challenge: string, ref: OciRef, loginOf: LoginOf): Promise<string> {
  const login = loginOf(named(ref));
  const basic = login && `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
  const [, fieldsOf] = /\bbearer (.*)$/i.exec(challenge) ?? [];
  if (fieldsOf !== undefined) return `Bearer ${await askToken(fieldsOf, ref, basic)}`;
  if (basic !== undefined && /\bbasic\b/i.test(challenge)) return basic;
  throw new PxError('plugin.invalid', `${ref.host} wants a user name and a password`, { hint: hint(ref, loginOf) });
}

/** Gets a token for reading, as anybody or with a name and password, where the registry says. */
async function askToken(challenge: string, ref: OciRef, basic: string | undefined): Promise<string> {
  const fields = Object.fromEntries(
    [...challenge.matchAll(/([a-z]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
  );
  const realm = URL.parse(fields['realm'] ?? '');
  // A registry elsewhere has no business with servers of this machine.
  if (!realm || (realm.protocol !== 'https:' && !isLocal(ref)))
    throw new PxError('plugin.invalid', `${ref.host} does not say where it gives tokens`);
  if (fields['service']) realm.searchParams.set('service', fields['service']);
  realm.searchParams.set('scope', fields['scope'] ?? `repository:${ref.repository}:pull`);
  const { status, bytes } = await download(realm.href, maxManifest, {
    accept: 'application/json',
    ...(basic === undefined ? {} : { authorization: basic }),
  });
  if (status !== 200)
    throw new PxError('plugin.invalid', `${realm.host} gives no token (${status})`, {
      hint: `Are user and password in registries.${JSON.stringify(named(ref))} of px.yaml right?`,
    });
  const { token, access_token } = read(Token, parse(bytes));
  const given = token ?? access_token;
  if (given === undefined || !/^[\x21-\x7e]+$/.test(given))
    throw new PxError('plugin.invalid', `${realm.host} gives no token`);
  return given;
}
const Token = v.object({ token: v.optional(v.string()), access_token: v.optional(v.string()) });

function checkDigest(bytes: Uint8Array, wanted: string): void {
  if (`sha256:${new Bun.CryptoHasher('sha256').update(bytes).digest('hex')}` !== wanted)
    throw new PxError('plugin.invalid', 'the registry sent something else than it announced');
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new PxError('plugin.invalid', 'the registry sent no JSON', { cause });
  }
}

function read<T>(schema: v.GenericSchema<unknown, T>, json: unknown): T {
  const parsed = v.safeParse(schema, json);
  if (parsed.success) return parsed.output;
  const issue = parsed.issues[0];
  throw new PxError(
    'plugin.invalid',
    `the registry's answer is not understood: ${v.getDotPath(issue) ?? issue.message}`,
  );
}
