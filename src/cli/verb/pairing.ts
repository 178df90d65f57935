import { PxError } from '../../error/error.ts';
import { openBackend } from '../backend.ts';
import { table } from '../io.ts';
import { group, verb } from '../verb.ts';

const list = verb({
  name: 'list',
  summary: 'List who may talk to px, and who has asked.',
  args: {},
  examples: ['px pairing list'],
  async run(context) {
    await using backend = await openBackend(context);
    const pairings = await backend.client.pairings();
    if (context.json) context.io.data(pairings);
    else if (pairings.length === 0) context.io.line('Nobody has asked yet.');
    else
      context.io.line(
        table(
          pairings.map((p) => [
            p.state,
            p.channel,
            p.sender,
            p.name,
            p.state === 'pending' ? p.code : p.role,
            p.person && `same as ${p.person}`,
          ]),
        ),
      );
    return 0;
  },
});

const approve = verb({
  name: 'approve',
  summary: 'Let somebody in, by the code px gave them.',
  details: 'The first who is let in is the owner, unless you say otherwise; all others are guests.',
  args: {
    code: { type: 'positional', required: true, description: 'The code, 8 characters.' },
    owner: { type: 'boolean', description: 'They are you: all tools, and their word counts when px asks.' },
    guest: { type: 'boolean', description: 'They may talk, with the tools px.yaml gives to guests (policy.guests).' },
  },
  examples: ['px pairing approve K7M2WQ9D', 'px pairing approve K7M2WQ9D --guest'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    const who = await backend.client.approvePairing(args.code, roleOf(args));
    if (context.json) context.io.data(who);
    else context.io.line(`${who.name || who.sender} may talk to px on ${who.channel}, as ${who.role}.`);
    return 0;
  },
});

const role = verb({
  name: 'role',
  summary: 'Make somebody an owner or a guest.',
  args: {
    channel: { type: 'positional', required: true, description: 'The channel: telegram.' },
    sender: { type: 'positional', required: true, description: "The person's id there; list shows it." },
    owner: { type: 'boolean', description: 'They are you: all tools, and their word counts when px asks.' },
    guest: { type: 'boolean', description: 'They may talk, with the tools px.yaml gives to guests (policy.guests).' },
  },
  examples: ['px pairing role telegram 4711 --guest'],
  async run({ args, ...context }) {
    const role = roleOf(args);
    if (role === undefined) throw new PxError('usage', 'Say --owner or --guest.');
    await using backend = await openBackend(context);
    await backend.client.setRole(args.channel, args.sender, role);
    if (context.json) context.io.data({ channel: args.channel, sender: args.sender, role });
    else context.io.line(`${args.sender} on ${args.channel} is ${role === 'owner' ? 'an owner' : 'a guest'} now.`);
    return 0;
  },
});

function roleOf({
  owner,
  guest,
}: {
  owner?: boolean | undefined;
  guest?: boolean | undefined;
}): 'owner' | 'guest' | undefined {
  if (owner && guest) throw new PxError('usage', 'Say --owner or --guest, not both.');
  return owner ? 'owner' : guest ? 'guest' : undefined;
}

const revoke = verb({
  name: 'revoke',
  summary: 'Take a pairing back.',
  args: {
    channel: { type: 'positional', required: true, description: 'The channel: telegram.' },
    sender: { type: 'positional', required: true, description: "The person's id there; list shows it." },
  },
  examples: ['px pairing revoke telegram 4711'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    if (!(await backend.client.revokePairing(args.channel, args.sender)))
      throw new PxError('not-found', `${args.sender} is not paired on ${args.channel}.`, {
        hint: '`px pairing list` shows who is.',
      });
    if (context.json) context.io.data({ revoked: { channel: args.channel, sender: args.sender } });
    else context.io.line(`${args.sender} may no longer talk to px on ${args.channel}.`);
    return 0;
  },
});

/** `px pairing …`. */
export const pairing = group({
  name: 'pairing',
  summary: 'Decide who may talk to px.',
  examples: ['px pairing list', 'px pairing approve K7M2WQ9D'],
  verbs: { list: async () => list, approve: async () => approve, role: async () => role, revoke: async () => revoke },
});
