import { manual } from '../man.ts';
import { root } from '../tree.ts';
import { verb } from '../verb.ts';

/** `px man`. */
export const man = verb({
  name: 'man',
  summary: 'Show the manual page, or print it for `man` when it goes to a file.',
  args: {},
  examples: ['px man', 'px man > ~/.local/share/man/man1/px.1'],
  async run({ io, json, version }) {
    const page = await manual(root, version);
    if (json) io.data({ page });
    else if (!io.tty || !Bun.which('man')) io.line(page.trimEnd());
    else return Bun.spawn(['man', '-l', '-'], { stdin: new Blob([page]), stdout: 'inherit', stderr: 'inherit' }).exited;
    return 0;
  },
});
