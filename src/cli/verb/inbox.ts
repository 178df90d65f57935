import { openBackend } from '../backend.ts';
import { table } from '../io.ts';
import { group, verb } from '../verb.ts';
import { idArgument, when } from './outbox.ts';

const list = verb({
  name: 'list',
  summary: 'List messages that have no answer yet, and those that came too late.',
  args: {},
  examples: ['px inbox list', 'px inbox list --json'],
  async run(context) {
    await using backend = await openBackend(context);
    const messages = await backend.client.inbox();
    if (context.json) context.io.data(messages);
    else if (messages.length === 0) context.io.line('Every message is answered.');
    else
      context.io.line(
        table(
          messages.map((m) => [
            `${m.seq}`,
            m.state,
            when(m.at),
            `${m.channel}/${m.chat}`,
            m.name || m.sender,
            m.text.replace(/\s+/g, ' ').slice(0, 60),
          ]),
        ),
      );
    return 0;
  },
});

const answer = verb({
  name: 'answer',
  summary: 'Answer a message that came too late to be answered by itself.',
  args: idArgument,
  examples: ['px inbox answer 12'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    await backend.client.answerOld(args.id);
    if (context.json) context.io.data({ answering: args.id });
    else context.io.line(backend.running ? `${args.id} is being answered.` : `${args.id} is answered when px runs.`);
    return 0;
  },
});

const drop = verb({
  name: 'drop',
  summary: 'Drop a message without an answer.',
  args: idArgument,
  examples: ['px inbox drop 12'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    await backend.client.dropMessage(args.id);
    if (context.json) context.io.data({ dropped: args.id });
    else context.io.line(`${args.id} gets no answer.`);
    return 0;
  },
});

/** `px inbox …`. */
export const inbox = group({
  name: 'inbox',
  summary: 'See which messages have no answer.',
  examples: ['px inbox list', 'px inbox answer 12'],
  verbs: { list: async () => list, answer: async () => answer, drop: async () => drop },
});
