import { readFileSync } from 'node:fs';
import { PxError } from '../../error/error.ts';
import type { Outcome, Setup } from './setup.ts';
import { sentence } from './setup.ts';

const step = 'service' as const;
const load = () => import('../../service/service.ts');

/** Whether px is to run by itself: what became of it, or that it is to be installed once this home is let go of. */
export async function offerService(setup: Setup, running: boolean): Promise<Outcome | 'install'> {
  const { answers, ask, context } = setup;
  const no: Outcome = { step, state: 'skipped', text: 'No service: px runs while you let it, with `px serve`.' };
  if (answers.service === false) return no;
  try {
    const state = await (await load()).serviceState(context);
    const ours = state.installed && readFileSync(state.file, 'utf8').includes(context.home.root);
    if (state.installed && !ours) {
      const hint = 'px service install --name px-2';
      return { step, state: 'left', text: `The service ${state.name} is of another px.`, hint };
    }
    if (state.running) return { step, state: 'done', text: `px runs as a service: ${state.detail}.` };
    if (running) {
      const hint = 'Stop it, then: px service install';
      return { step, state: 'left', text: 'px runs already, and not as a service.', hint };
    }
    if (answers.service) return 'install';
    if (!ask) return no;
    return (await ask.yes('Let px run by itself, also after this machine restarts?')) ? 'install' : no;
  } catch (thrown) {
    if (!(thrown instanceof PxError) || thrown.code === 'interrupted') throw thrown;
    // Who did not ask for a service is not bothered with the lack of one.
    return answers.service ? { step, state: 'failed', text: sentence(thrown) } : no;
  }
}

/** Installs and starts the service; nobody may hold the home. `stored`: names of the secrets px has itself. */
export async function installService(
  { context, wait, say }: Omit<Setup, 'client'>,
  stored: string[],
): Promise<Outcome> {
  try {
    const { url, hints } = await wait((await load()).installService(context));
    for (const hint of hints) if (!stored.some((name) => hint.includes(name))) say(hint);
    if (url === undefined)
      return {
        step,
        state: 'left',
        text: 'The service is started, and does not answer yet.',
        hint: 'px service status',
      };
    return { step, state: 'done', text: `px runs as a service, at ${url}.`, fresh: true };
  } catch (thrown) {
    if (!(thrown instanceof PxError) || thrown.code === 'interrupted') throw thrown;
    return { step, state: 'failed', text: sentence(thrown) };
  }
}
