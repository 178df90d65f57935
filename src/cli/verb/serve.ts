import { PxError, toPxError } from '../../error/error.ts';
import { nextSignal } from '../signal.ts';
import { verb } from '../verb.ts';

/** `px serve`. */
export const serve = verb({
  name: 'serve',
  summary: 'Start px: the agent, its channels and the portal.',
  details:
    'Prints one line with the address when ready. Logs go to stderr. Ctrl-C stops it: turns that run are finished first (agent.stop_seconds), a second one ends it at once. `px service install` runs it by itself.',
  args: {
    port: {
      type: 'string',
      description: 'TCP port, 0 for any free one. Left out: gateway.port of px.yaml.',
      valueHint: 'N',
    },
    host: {
      type: 'string',
      description: 'Address to listen on. Left out: gateway.host of px.yaml.',
      valueHint: 'ADDRESS',
    },
  },
  examples: ['px serve', 'px serve --port 0', 'px serve --home ~/my-px --port 8080'],
  async run({ args, io, env, home, version, json }) {
    const port = portOf(args.port);
    const ended = nextSignal();
    const [{ startApp, openNotify }, { loadGateway }] = await Promise.all([
      import('../../app/app.ts'),
      import('../../gateway/gateway.ts'),
    ]);
    const listen = await loadGateway();
    const notify = await openNotify(env);
    const app = await startApp({ home, env, version });
    try {
      const gateway = listen({
        app,
        ...(port === undefined ? {} : { port }),
        ...(args.host === undefined ? {} : { host: args.host }),
        pages: async (request, context) => (await import('../../portal/portal.ts')).servePortal(request, context),
      });
      // Ollama has had no time to answer yet; the line should name the model that will.
      if (app.config.current.model.default === 'auto' && app.models.default.ref.startsWith('offline/'))
        await Promise.race([app.models.detect(), Bun.sleep(400), ended]);
      const { ref, why } = app.models.default;
      notify?.ready(`px ${version} at ${gateway.url}, model ${ref}`);
      // What a service prints is kept in a log that others may read: no link that signs in.
      const link = notify ? gateway.url : `${gateway.url}/#${gateway.createCode().code}`;
      if (json) io.data({ url: gateway.url, link, model: ref, why });
      else io.line(`px is ready at ${link} — model ${ref} (${why})`);
      if (io.tty && !json)
        io.line(
          io.dim(
            ref.startsWith('offline/')
              ? 'Open it in a browser; or in another terminal: px setup gives it a model and Telegram, px chat "what time is it?"'
              : 'Open it in a browser, or try in another terminal: px chat "what time is it?"',
          ),
        );
      notify?.watch(
        () => app.ready(),
        (thrown) => app.log.error(`px is not well: ${toPxError(thrown).message}`),
      );
      const signal = await ended;
      const graceMs = app.config.current.agent.stop_seconds * 1000;
      notify?.stopping(graceMs);
      const busy = app.sessions.running().length;
      if (busy > 0 && io.tty) io.line(`Finishing ${answers(busy)}; again to end now.`);
      else if (busy > 0) app.log.info(`told to stop: finishing ${answers(busy)}`);
      await app.drain(graceMs);
      const left = app.sessions.running().length;
      if (left > 0) app.log.info(`not finished: ${answers(left)}; px goes on with what was asked after the next start`);
      await gateway.stop();
      return signal === 'SIGINT' ? 130 : 0;
    } finally {
      await app.close();
      notify?.close();
    }
  },
});

const answers = (count: number) => (count === 1 ? 'an answer' : `${count} answers`);

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new PxError('usage', `--port takes a number from 0 to 65535, not "${text}".`, { hint: 'px serve --port 7979' });
}
