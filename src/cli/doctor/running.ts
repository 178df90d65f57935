import type { Client } from '../../client/client.ts';
import { type Environment, getPath } from '../../config/config.ts';
import type { Status } from '../../wire/wire.ts';
import type { Context } from '../verb.ts';
import { type Finding, fine } from './finding.ts';

/** Every layer of the sandbox; each must be active. */
const everyLayer = ['wasm', 'caps', 'seccomp', 'no_new_privs', 'rlimits', 'descriptors', 'deadlines', 'broker'];

/** What a px that is there tells of itself. `layers`: of the sandbox, where they were just tried out. */
export async function runningFindings(
  { env }: Context,
  client: Client,
  status: Status,
  layers: Record<string, string> | undefined,
): Promise<Finding[]> {
  const [secrets, providers, config] = await Promise.all([client.secretNames(), client.providers(), client.config()]);
  return [
    fine('secrets', `${secrets.length} stored, and the master key opens them`),
    keysFinding(providers, status),
    modelFinding(status, config),
    ...missingFindings(config, secrets, env),
    sandboxFinding(status.sandbox.mode, layers ?? status.sandbox.layers),
  ];
}

function keysFinding(providers: Awaited<ReturnType<Client['providers']>>, { model }: Status): Finding {
  const name = 'provider keys';
  const chosen = providers.find((one) => model.ref.startsWith(`${one.name}/`));
  if (chosen?.keyNeeded && chosen.key === '')
    return {
      name,
      state: 'warn',
      text: `${chosen.secret} is not set, and ${model.ref} is to answer`,
      hint: `px secret set ${chosen.secret}, unless it is a server of your own that asks for none`,
    };
  const set = providers.filter((provider) => provider.key !== '').map((provider) => provider.secret);
  return fine(name, set.length > 0 ? `${set.join(', ')} set` : 'none set; needed for cloud models only');
}

function modelFinding({ model }: Status, config: Record<string, unknown>): Finding {
  if (getPath(config, 'model.default') === model.ref)
    return fine('model', `${model.ref} is to answer, as px.yaml says`);
  if (!model.offline) return { name: 'model', state: 'ok', text: `${model.ref}: ${model.note}` };
  return {
    name: 'model',
    state: 'warn',
    text: `${model.ref} answers: ${model.note}`,
    hint: 'For a real one: px setup',
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
  if (text === '')
    return { name: 'sandbox', state: 'warn', text: `${mode}: px has just started, and has not looked at it yet` };
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
