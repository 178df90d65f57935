import { describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { binary, notBuilt, Px } from './px.ts';
import { noTmux, Tmux } from './tmux.ts';

const have = (shell: string) => (Bun.which(shell) ? undefined : `${shell} is not installed`);
const missing = (shell: string) => notBuilt ?? noTmux ?? have(shell);

/** A terminal with a shell of this kind that has px's completions, and a home whose px runs. */
async function inShell(start: string, source: string) {
  await using all = new AsyncDisposableStack();
  const px = all.use(await new Px().serve());
  await px.installed();
  const folder = mkdtempSync(join(tmpdir(), 'px-shell-'));
  all.defer(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'cfg'));
  writeFileSync(join(folder, 'notes of mine.wasm'), '');
  const env = { PX_HOME: px.home, HOME: folder, XDG_CONFIG_HOME: join(folder, 'cfg') };
  const terminal = all.use(await new Tmux().open({ env }));
  await terminal.type(`cd ${folder}; export PATH=${dirname(binary)}:$PATH; clear; exec ${start}`);
  await terminal.keys('Enter');
  await terminal.saw(/^[^\n]*[$#%>] *$/m);
  await terminal.type(`${source}; clear; echo rea''dy`);
  await terminal.keys('Enter');
  await terminal.saw('ready');
  /** Types, presses Tab, and waits for what then stands there; the line is thrown away. */
  const tab = async (text: string, wanted: string | RegExp) => {
    await terminal.type(text);
    await terminal.keys('Tab');
    await terminal.saw(wanted);
    await terminal.keys('C-u', 'C-l');
  };
  const kept = all.move();
  return { tab, terminal, folder, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

const cases = [
  { shell: 'bash', start: 'bash --norc --noprofile', source: 'source <(px completions bash)' },
  { shell: 'zsh', start: 'zsh -f', source: 'autoload -Uz compinit; compinit -u; source <(px completions zsh)' },
  { shell: 'fish', start: 'fish --private', source: 'px completions fish | source' },
];

for (const { shell, start, source } of cases) {
  describe.skipIf(missing(shell) !== undefined)(`Tab in ${shell}`, () => {
    test('completes verbs, plugins of the running px, models, and the shell’s own files', async () => {
      await using world = await inShell(start, source);
      await world.tab('px memory reb', 'px memory rebuild');
      await world.tab('px plugin call web', 'px plugin call web-fetch');
      await world.tab('px chat --model off', 'px chat --model offline/px');
      await world.tab('px chat --model=off', 'px chat --model=offline/px');
      await world.tab('px plugin inspect cloc', 'px plugin inspect clock');
      await world.tab('px --home cf', 'px --home cfg/');
      await world.tab('px plugin inspect note', /px plugin inspect .?notes\\? of\\? mine\.wasm/);
    });

    test('evaluates nothing of what is typed', async () => {
      await using world = await inShell(start, source);
      await world.terminal.type('px plugin call "$(touch made)" `touch made` ');
      await world.terminal.keys('Tab', 'C-u');
      await world.terminal.type('echo wai""ted; ls');
      await world.terminal.keys('Enter');
      expect(await world.terminal.saw(/waited[\s\S]*notes of mine/)).not.toContain('made\n');
    });
  });
}
