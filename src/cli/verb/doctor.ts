import { verb } from '../verb.ts';

/** `px doctor`. */
export const doctor = verb({
  name: 'doctor',
  summary: 'Check this px: home, configuration, keys, sandbox, model, channels, index. Exit 1 when something fails.',
  args: {},
  examples: ['px doctor', 'px doctor --json'],
  async run({ io, json, ...context }) {
    const { diagnose } = await import('../doctor.ts');
    const findings = await diagnose({ io, json, ...context });
    const failed = findings.some((finding) => finding.state === 'fail');
    if (json) io.data({ ok: !failed, checks: findings });
    else
      for (const { name, state, text, hint } of findings) {
        io.line(`${state.padEnd(4)}  ${io.bold(name)}: ${text}`);
        if (hint && state !== 'ok') io.line(io.dim(`      ${hint}`));
      }
    return failed ? 1 : 0;
  },
});
