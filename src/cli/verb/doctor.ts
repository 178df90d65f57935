import { PxError } from '../../error/error.ts';
import { verb } from '../verb.ts';

/** `px doctor`. */
export const doctor = verb({
  name: 'doctor',
  summary: 'Check everything px needs, and say in a sentence what is wrong. Exit 1 when something fails.',
  details:
    'Home, disk, rights, configuration, databases, keys, sandbox, plugins, index, audit chain, names, clock, providers and channels. Changes nothing, unless --fix mends what can be mended without losing anything.',
  args: {
    fix: { type: 'boolean', description: 'Mend what can be mended; at a terminal, lists it and asks first.' },
    offline: { type: 'boolean', description: 'Leave out what needs the network.' },
    yes: { type: 'boolean', description: 'With --fix: do not ask.' },
  },
  examples: ['px doctor', 'px doctor --fix', 'px doctor --offline --json'],
  async run({ args, words: _, ...context }) {
    const { io, json } = context;
    const { heal } = await import('../doctor/mend.ts');
    const asks = args.fix && !args.yes && !json && process.stdin.isTTY && process.stderr.isTTY;
    const { findings, mended } = await heal(context, {
      offline: args.offline ?? false,
      fix: args.fix ?? false,
      ...(asks ? { agree: await agreeAt(io.note) } : {}),
    });
    const failed = findings.filter((finding) => finding.state === 'fail');
    if (json) {
      const checks = findings.map(({ fix, ...finding }) => (fix ? { ...finding, fix: fix.what } : finding));
      io.data({ ok: failed.length === 0, checks, mended });
    } else if (args.fix && failed.length > 0)
      io.note(`px: ${failed.map((finding) => finding.name).join(', ')}: not mended.`);
    return failed.length > 0 ? 1 : 0;
  },
});

/** Asks the person at the terminal before something is mended. */
async function agreeAt(note: (text: string) => void) {
  const { terminalPrompt } = await import('../prompt.ts');
  const prompt = terminalPrompt(note, () => new PxError('interrupted', 'Nothing more was mended.'));
  return (what: string[]) => {
    note('    To be done:');
    for (const each of what) note(`      ${each}`);
    return prompt.yes('Shall I?');
  };
}
