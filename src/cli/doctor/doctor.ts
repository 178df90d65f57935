import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from '../../app/app.ts';
import { type Client, connect } from '../../client/client.ts';
import { homeAt, openConfig } from '../../config/config.ts';
import { toPxError } from '../../error/error.ts';
import type { Status } from '../../wire/wire.ts';
import { openBackend } from '../backend.ts';
import type { Context } from '../verb.ts';
import { databaseFindings } from './databases.ts';
import { type Finding, fine } from './finding.ts';
import { homeFindings } from './home.ts';
import { auditFinding, indexFinding } from './memory.ts';
import { channelStates, networkFindings } from './network.ts';
import { pluginFindings } from './plugins.ts';
import { runningFindings } from './running.ts';

/** How long a px that has just started may take until it has looked at its sandbox, and how often it is asked. */
const settleMs = 10_000;
const lookMs = 100;

/** How px is looked at. */
export interface Examination {
  /** Leaves out what needs the network. */
  offline: boolean;
  /** Takes what was found as it is found, with what mends it: a fix works only while it is being told. */
  tell(findings: Finding[]): Promise<void>;
}

/**
 * Looks at everything a px needs, from the files up: what is broken below keeps what stands on it from being looked at. Changes nothing; a
 * home that does not exist yet is tried out in a temporary folder.
 */
export async function examine(context: Context, { offline, tell }: Examination): Promise<void> {
  const { home } = context;
  const running = await connect(home);
  const files = [
    ...(await homeFindings(home, running !== undefined)),
    await configFinding(context),
    ...(existsSync(home.state) ? databaseFindings(home, running && (() => running.rebuildMemory())) : []),
  ];
  await tell(files);
  if (files.some((finding) => finding.state === 'fail' && finding.name !== 'disk')) return;
  const root = existsSync(home.root) ? undefined : mkdtempSync(join(tmpdir(), 'px-doctor-'));
  try {
    await examineApp(root ? { ...context, home: homeAt(root) } : context, offline, tell);
  } catch (thrown) {
    await tell([failure(toPxError(thrown).code.startsWith('secret.') ? 'secrets' : 'start', thrown)]);
  } finally {
    if (root) rmSync(root, { recursive: true, force: true });
  }
}

async function examineApp(context: Context, offline: boolean, tell: Examination['tell']): Promise<void> {
  let layers: Record<string, string> | undefined;
  const prepare = async (app: App) => {
    [layers] = await Promise.all([app.plugins.layers(), app.models.detect()]);
  };
  // What is wrong each finding tells; the log would say it once more.
  await using backend = await openBackend(context, { prepare, log: () => {} });
  const { client, running } = backend;
  const status = running ? await settledStatus(client) : await client.status();
  const daemon = running
    ? `px ${status.version} runs at ${client.url}, process ${status.pid}`
    : 'no px runs for this home; start it with px serve';
  await tell([
    fine('daemon', daemon),
    ...(await runningFindings(context, client, status, layers)),
    ...(await guarded('plugins', () => pluginFindings(client, status.channels))),
    ...(await guarded('index', async () => [await indexFinding(client, running)])),
    ...(await guarded('audit', async () => [await auditFinding(client)])),
    ...(offline ? (running ? channelStates(status.channels) : []) : await networkFindings(client, status)),
  ]);
}

/** What a px that runs is doing. One that has just started looks at its sandbox last of all, which is waited for. */
async function settledStatus(client: Client): Promise<Status> {
  for (const until = Date.now() + settleMs; ; await Bun.sleep(lookMs)) {
    const status = await client.status();
    if (Object.keys(status.sandbox.layers).length > 0 || Date.now() > until) return status;
  }
}

async function configFinding({ home, env }: Context): Promise<Finding> {
  try {
    (await openConfig(home, env)).close();
    return fine(
      'config',
      existsSync(home.config) ? `${home.config} is valid` : 'no px.yaml; everything has its default',
    );
  } catch (thrown) {
    return failure('config', thrown);
  }
}

/** One check that fails must not keep the others from being told. */
async function guarded(name: string, check: () => Promise<Finding[]>): Promise<Finding[]> {
  return check().catch((thrown: unknown) => [failure(name, thrown)]);
}

function failure(name: string, thrown: unknown): Finding {
  const { message, hint } = toPxError(thrown);
  return { name, state: 'fail', text: message, ...(hint ? { hint } : {}) };
}
