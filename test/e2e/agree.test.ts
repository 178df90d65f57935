import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { binary, notBuilt, Px } from './px.ts';
import { noTmux, prompt, Tmux } from './tmux.ts';

const lacking = notBuilt ?? noTmux;
const script = (version: string, egress: string[]) => `
  export const manifest = { name: 'asker', version: '${version}', egress: ${JSON.stringify(egress)}, limits: { memory_mb: 100 } };
  export const which = () => '${version}';`;

describe.skipIf(lacking !== undefined)(`what a plugin asks for, at a terminal${lacking ? `: ${lacking}` : ''}`, () => {
  test('is shown in plain words and granted whole, in part or not at all; more in a new version waits for a yes', async () => {
    await using px = await new Px({ config: { model: { default: 'offline/px' } } }).serve();
    await px.installed();
    const file = join(px.home, 'asker.js');
    writeFileSync(file, script('1.0', ['GET https://a.example/', 'POST https://b.example/in/']));
    await using terminal = await new Tmux().open({ columns: 120, rows: 40, env: { HOME: px.home, PS1: '$ ' } });
    /** Types a command, then each answer once its question stands there; the screen when the shell waits again. */
    const run = async (args: string, ...answers: [question: string, answer: string][]) => {
      await terminal.type(`clear; ${binary} --home ${px.home} ${args}`);
      await terminal.keys('Enter');
      for (const [question, answer] of answers) {
        // The last thing on the screen: one that was answered before has an answer behind it.
        await terminal.saw(new RegExp(`${RegExp.escape(question.trim())}\\s*$`));
        await terminal.type(answer);
        await terminal.keys('Enter');
      }
      return terminal.saw(new RegExp(`\\n${prompt.source.slice(1)}`, 'm'));
    };
    const granted = async () => {
      const { stdout } = await px.run('plugin', 'inspect', 'asker', '--json');
      return (JSON.parse(stdout) as { asks: { granted: boolean }[] }).asks.map((ask) => ask.granted);
    };

    const cancelled = await run(`plugin add ${file}`, ['[c]ancel: ', 'c']);
    expect(cancelled).toContain('asker 1.0 asks to\n  - make GET requests to https://a.example\n');
    expect(cancelled).toContain('Nothing was installed.');
    const added = await run(
      `plugin add ${file}`,
      ['[s]ome, [c]ancel: ', 's'],
      ['https://a.example? [y/N]: ', 'n'],
      ['below /in/? [y/N]: ', 'y'],
      ['of memory (now 64 MiB)? [y/N]: ', ''],
    );
    expect(added).toMatch(/not granted +make GET requests to https:\/\/a\.example\n/);
    expect(added).toMatch(/\n +granted +make POST requests to https:\/\/b\.example below \/in\/\n/);
    expect(await granted()).toEqual([false, true, false]);

    writeFileSync(
      file,
      script('2.0', ['GET https://a.example/', 'POST https://b.example/in/', 'GET https://c.example/']),
    );
    const stays = await run('plugin update asker', ['[n]o (update without), [c]ancel: ', 'c']);
    expect(stays).toContain('asker 2.0 asks to\n  - make GET requests to https://c.example\n');
    expect(stays).toContain('1.0 stays');
    expect(await run('plugin update asker', ['[c]ancel: ', 'y'])).toContain('asker 1.0 → 2.0');
    expect(await granted()).toEqual([false, true, true, false]);

    // Another file that says it is asker has none of it until a person says so.
    const other = join(px.home, 'other.js');
    writeFileSync(other, script('9.0', ['POST https://b.example/in/']));
    const taken = await run(`plugin add ${other} --replace`, ['[c]ancel: ', 'n']);
    expect(taken).toContain(`It takes the place of asker 2.0, which is from ${file}.`);
    expect(taken).toContain('asker 9.0 asks to\n  - make POST requests to https://b.example below /in/\n');
    expect(await granted()).toEqual([false, false]);

    // An author is asked again when the manifest changes, by name; and does not take the place of somebody else's plugin.
    await terminal.type(`clear; ${binary} --home ${px.home} plugin dev ${file}`);
    await terminal.keys('Enter');
    await terminal.saw(/A plugin asker is installed already, from /);
    writeFileSync(file, script('3.0', []).replaceAll('asker', 'mine'));
    await terminal.saw(/mine 3\.0 asks to\n {2}- use up to 100 MiB of memory[\s\S]*\[c\]ancel:\s*$/);
    await terminal.type('n');
    await terminal.keys('Enter');
    await terminal.saw(/mine 3\.0 is loaded/);
    writeFileSync(file, script('4.0', ['GET https://d.example/']).replaceAll('asker', 'mine'));
    await terminal.saw(/mine 4\.0 asks to\n {2}- make GET requests to https:\/\/d\.example\n[\s\S]*\[c\]ancel:\s*$/);
    await terminal.keys('C-c');
    await terminal.saw(/mine stays installed\./);
  }, 120_000);
});
