import { accessSync, constants, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from '../app/app.ts';
import { type Environment, getPath, homeAt, openConfig } from '../config/config.ts';
import { toPxError } from '../error/error.ts';
import type { Status } from '../wire/wire.ts';
import { openBackend } from './backend.ts';
import type { Context } from './verb.ts';

/** What one check found: one sentence, and what to do when it is not well. */
export interface Finding {
  name: string;
  state: 'ok' | 'warn' | 'fail';
  text: string;
  hint?: string;
  /** Of `sandbox`: each layer, `active` or what is the matter with it. */
  layers?: Record<string, string>;
}

/** Every layer of the sandbox; each must be active. */
const everyLayer = ['wasm', 'caps', 'seccomp', 'no_new_privs', 'rlimits', 'descriptors', 'deadlines', 'broker'];
const keys = ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'GEMINI_API_KEY'];

/** Looks at everything a px needs. Changes nothing: a home that does not exist yet is tried out in a temporary folder. */
export async function diagnose(context: Context): Promise<Finding[]> {
  const findings = [homeFinding(context), await configFinding(context)];
  if (findings.some((finding) => finding.state === 'fail')) return findings;
  const fresh = !existsSync(context.home.root);
  const root = fresh ? mkdtempSync(join(tmpdir(), 'px-doctor-')) : undefined;
  try {
    findings.push(...(await serviceFindings(root ? { ...context, home: homeAt(root) } : context)));
  } catch (thrown) {
    const error = toPxError(thrown);
    findings.push({ name: 'start', state: 'fail', text: error.message, ...(error.hint ? { hint: error.hint } : {}) });
  } finally {
    if (root) rmSync(root, { recursive: true, force: true });
  }
  return findings;
}

function homeFinding({ home }: Context): Finding {
  const name = 'home';
  if (!existsSync(home.root)) return { name, state: 'ok', text: `${home.root} does not exist yet; px serve makes it` };
  try {
    accessSync(home.root, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return { name, state: 'fail', text: `${home.root} cannot be written`, hint: `chown it to yourself, or use --home` };
  }
  for (const path of [home.state, join(home.state, 'master.key'), join(home.state, 'token')]) {
    const mode = existsSync(path) ? statSync(path).mode & 0o777 : 0;
    if (mode & 0o077)
      return {
        name,
        state: 'warn',
        text: `${path} can be read by others (${mode.toString(8)})`,
        hint: `chmod go-rwx '${path}'`,
      };
  }
  for (const path of [home.root, home.config, home.memory, home.plugins]) {
    const mode = existsSync(path) ? statSync(path).mode : 0;
    if (mode & 0o002)
      return {
        name,
        state: 'warn',
        text: `${path} can be changed by every user of this machine`,
        hint: `chmod o-w '${path}'`,
      };
  }
  return { name, state: 'ok', text: `${home.root} is writable, its keys are private` };
}

async function configFinding({ home, env }: Context): Promise<Finding> {
  try {
    (await openConfig(home, env)).close();
    const text = existsSync(home.config) ? `${home.config} is valid` : 'no px.yaml; everything has its default';
    return { name: 'config', state: 'ok', text };
  } catch (thrown) {
    const { message, hint } = toPxError(thrown);
    return { name: 'config', state: 'fail', text: message, ...(hint ? { hint } : {}) };
  }
}

async function serviceFindings(context: Context): Promise<Finding[]> {
  let layers: Record<string, string> | undefined;
  const prepare = async (app: App) => {
    layers = await app.plugins.layers();
    await app.models.detect();
  };
  await using backend = await openBackend(context, { prepare });
  const { client, running } = backend;
  const [status, secrets] = await Promise.all([client.status(), client.secretNames()]);
  const set = keys.filter((key) => secrets.includes(key) || context.env.get(key));
  return [
    running
      ? { name: 'daemon', state: 'ok', text: `px ${status.version} runs at ${client.url}, process ${status.pid}` }
      : { name: 'daemon', state: 'ok', text: 'no px runs for this home; start it with px serve' },
    { name: 'secrets', state: 'ok', text: `${secrets.length} stored, and the master key opens them` },
    {
      name: 'provider keys',
      state: 'ok',
      text: set.length > 0 ? `${set.join(', ')} set` : 'none set; needed for cloud models only',
    },
    modelFinding(status),
    ...missingFindings(await client.config(), secrets, context.env),
    sandboxFinding(status.sandbox.mode, layers ?? status.sandbox.layers),
    ...channelFindings(status, running),
    { name: 'index', state: 'ok', text: `${status.memory.notes} notes, ${status.memory.chunks} passages` },
  ];
}

function modelFinding({ model }: Status): Finding {
  if (!model.offline) return { name: 'model', state: 'ok', text: `${model.ref}: ${model.note}` };
  return {
    name: 'model',
    state: 'warn',
    text: `${model.ref} answers: ${model.note}`,
    hint: 'For a real one: px secret set OPENAI_API_KEY, or start Ollama.',
  };
}

/** References of px.yaml that lead nowhere. What belongs to a channel that is switched off is not looked at. */
function missingFindings(config: Record<string, unknown>, secrets: string[], env: Environment): Finding[] {
  const missing = new Map<string, string>();
  const visit = (value: unknown, path: string) => {
    const [section, name] = path.split('.');
    if (section === 'plugins' && getPath(config, `channels.${name ?? 'x'}.enabled`) === false) return;
    if (typeof value === 'object' && value !== null)
      for (const [key, inner] of Object.entries(value)) visit(inner, path === '' ? key : `${path}.${key}`);
    if (typeof value !== 'string') return;
    for (const [, secret, variable] of value.matchAll(
      /^secret:([\w.-]+)$|(?<!\$)\$\{(?:secret:)?([A-Za-z_][\w.-]*)\}/g,
    )) {
      const wanted = secret ?? variable ?? '';
      if (!secrets.includes(wanted) && !env.get(wanted)) missing.set(wanted, path);
    }
  };
  visit(config, '');
  return [...missing].map(([name, path]) => ({
    name: 'references',
    state: 'warn',
    text: `${path} in px.yaml refers to ${name}, which is not set`,
    hint: `px secret set ${name}, or set the environment variable ${name} before starting px`,
  }));
}

function sandboxFinding(mode: string, layers: Record<string, string>): Finding {
  const text = Object.entries(layers)
    .map(([layer, state]) => `${layer} ${state}`)
    .join(', ');
  if (text === '') return { name: 'sandbox', state: 'warn', text: `${mode}: not looked at yet` };
  const found = { name: 'sandbox', text: `${mode}: ${text}`, layers };
  if (everyLayer.every((layer) => layers[layer] === 'active')) return { ...found, state: 'ok' };
  return {
    ...found,
    state: mode === 'required' ? 'fail' : 'warn',
    hint:
      mode === 'required'
        ? 'Plugins do not run here. To run them with Wasm, caps and limits only: px config set sandbox.mode best-effort'
        : 'Plugins run without every layer, as sandbox.mode allows.',
  };
}

function channelFindings(status: Status, running: boolean): Finding[] {
  if (!running) return [];
  return status.channels.map((channel) => ({
    name: `channel ${channel.id}`,
    state: channel.state === 'failing' ? 'fail' : channel.state === 'waiting' ? 'warn' : 'ok',
    text: channel.detail ? `${channel.state}: ${channel.detail}` : channel.state,
  }));
}
