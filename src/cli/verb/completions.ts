import { nearest } from '../../config/config.ts';
import { PxError } from '../../error/error.ts';
import { shellScript, shells } from '../shell/shell.ts';
import { verb } from '../verb.ts';

/** `px completions`. */
export const completions = verb({
  name: 'completions',
  summary: 'Print what makes a shell complete verbs, flags, plugins, models and notes at the Tab key.',
  details:
    'Add the line for your shell to ~/.bashrc, ~/.zshrc (after compinit) or ~/.config/fish/config.fish. Names are those of the px that runs.',
  args: {
    shell: { type: 'positional', required: true, description: `${shells.join(', ')}.`, valueHint: 'SHELL' },
  },
  examples: ['px completions fish | source', 'source <(px completions bash)', 'source <(px completions zsh)'],
  async run({ args, io, json }) {
    const shell = shells.find((name) => name === args.shell);
    if (!shell) {
      const near = nearest(args.shell, shells);
      throw new PxError('usage', `px knows no completions for ${args.shell}.`, {
        hint: near ? `Did you mean ${near}?` : `px completions ${shells.join('|')}`,
      });
    }
    const script = shellScript(shell, process.execPath);
    if (json) io.data({ shell, script });
    else io.line(script.trimEnd());
    return 0;
  },
});
