import { describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binary, notBuilt, Px, until } from './px.ts';
import { noTmux, prompt, Tmux } from './tmux.ts';

/** A running px and `px tui` on it in a terminal. */
async function watch(options: Parameters<Tmux['open']>[0] = {}, flags = '') {
  await using all = new AsyncDisposableStack();
  const px = all.use(await new Px().serve());
  await px.installed();
  const terminal = all.use(await new Tmux().open(options));
  await terminal.type(`${binary} --home ${px.home} tui ${flags}`);
  await terminal.keys('Enter');
  await terminal.saw('live');
  const kept = all.move();
  return { px, terminal, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** The shell has its screen, cursor and echo again. */
async function expectRestored(terminal: Tmux) {
  await terminal.saw(prompt);
  expect(await terminal.value('alternate_on')).toBe('0');
  expect(await terminal.value('cursor_flag')).toBe('1');
  await terminal.type('stty -a; echo code was $?');
  await terminal.keys('Enter');
  expect(await terminal.saw('code was 0')).toMatch(/ icanon[\s\S]* echo /);
}

describe.skipIf(notBuilt !== undefined || noTmux !== undefined)('px tui in a terminal', () => {
  test('chats, shows the tool call, the turn, the execution and the health, and gives the terminal back', async () => {
    await using world = await watch();
    const { terminal } = world;
    await terminal.type('what time is it?');
    await terminal.keys('Enter');
    await terminal.saw('✓ clock_now');
    await terminal.saw(`● It is`);
    await terminal.type('/help');
    await terminal.keys('Enter');
    // Markdown is drawn, its marks are not.
    await terminal.saw('(default: follow px.yaml)');
    await terminal.keys('Tab');
    await terminal.saw(/cli\/default +stop/);
    await terminal.keys('Tab');
    await terminal.saw(/✓ clock now/);
    await terminal.keys('6');
    expect(await terminal.saw('seccomp active')).toMatch(/memory +.*MB \(most/);
    await terminal.keys('q');
    await expectRestored(terminal);
  });

  test('shows what px wrote to notes and takes it back', async () => {
    await using world = await watch();
    const { terminal, px } = world;
    await terminal.type('remember that my bicycle is called Gudrun');
    await terminal.keys('Enter');
    await terminal.saw('✓ memory_write');
    await terminal.keys('Escape');
    await terminal.saw('q quit');
    await terminal.type('u');
    await terminal.saw(/#\d+ .* MEMORY\.md \+\d/);
    await terminal.keys('Enter');
    await terminal.saw(/\+- .*Gudrun/);
    // What a person wrote at the same lines is not overwritten: both are shown.
    const note = join(px.home, 'memory/MEMORY.md');
    const written = await Bun.file(note).text();
    await Bun.write(note, written.replace('Gudrun', 'Gudrun the Second'));
    await terminal.type('u');
    expect(await terminal.saw('>>>>>>> with the change undone')).toContain('<<<<<<< as it is now');
    expect(await Bun.file(note).text()).toContain('Gudrun the Second');
    await Bun.write(note, written);
    await terminal.keys('Escape');
    await terminal.saw('Enter: look at it');
    await terminal.keys('Enter');
    await terminal.saw(/\+- .*Gudrun/);
    await terminal.type('u');
    await terminal.saw('Taken back: change');
    await terminal.saw('taken back since');
    expect(await Bun.file(note).text()).not.toContain('Gudrun');
  });

  test('fits a resized window, wide and narrow', async () => {
    await using world = await watch();
    const { terminal } = world;
    await terminal.tmux('resize-window', '-x', '140', '-y', '40');
    await terminal.saw('Plugins ─');
    await terminal.tmux('resize-window', '-x', '36', '-y', '12');
    const narrow = await terminal.saw(/^px ● live[\s\S]*1 Chat {2}2 {2}3 {2}4 {2}5 {2}6/);
    expect(narrow).not.toContain('Plugins ─');
    await terminal.tmux('resize-window', '-x', '80', '-y', '24');
    await terminal.saw('6 Health');
  });

  test('finds px again after kill -9 and a new start on another port', async () => {
    await using world = await watch();
    const { px, terminal } = world;
    await px.kill9();
    await terminal.saw('no connection, trying again');
    await px.serve();
    await terminal.saw('Connected again.');
    await terminal.type('what time is it?');
    await terminal.keys('Enter');
    await terminal.saw('● It is');
  });

  test('searches memory and switches the model', async () => {
    await using world = await watch();
    const { px, terminal } = world;
    await px.run('chat', 'remember that my bicycle is called Gudrun');
    await terminal.saw('● ');
    await terminal.keys('Escape');
    await terminal.saw('q quit');
    await terminal.type('/');
    await terminal.saw('Search memory');
    await terminal.type('bicycle');
    await terminal.keys('Enter');
    await terminal.saw('MEMORY.md#');
    await terminal.keys('Escape');
    await terminal.saw('q quit');
    await terminal.type('m');
    await terminal.saw(/Model [\s\S]*offline\/px/);
    await terminal.keys('Enter');
    await terminal.saw('From now on offline/px answers here.');
  });

  test('text of a person that holds terminal codes draws nothing', async () => {
    await using world = await watch();
    const { px, terminal } = world;
    const title = await terminal.value('pane_title');
    await px.fetch('/api/conversations/cli/default/messages', {
      method: 'POST',
      body: JSON.stringify({ text: 'evil \u001b]2;owned\u0007\u001b[2J\u001b[10;10Hpwned' }),
    });
    const screen = await terminal.saw('\\u001b[2J');
    expect(screen).toContain('px ● live');
    expect(await terminal.value('pane_title')).toBe(title);
  });

  for (const signal of ['TERM', 'HUP', 'INT'] as const)
    test(`SIG${signal} gives the terminal back`, async () => {
      await using world = await watch();
      const { terminal } = world;
      process.kill(await terminal.child(), `SIG${signal}`);
      await expectRestored(terminal);
    });

  test('Ctrl-Z goes to the shell, fg comes back', async () => {
    await using world = await watch();
    const { terminal } = world;
    await terminal.keys('C-z');
    await terminal.saw(prompt);
    expect(await terminal.value('alternate_on')).toBe('0');
    await terminal.type('fg');
    await terminal.keys('Enter');
    await until('its own screen', async () => (await terminal.value('alternate_on')) === '1');
    await terminal.saw('live');
    await terminal.keys('C-c');
    await terminal.saw('Ctrl-C again: quit');
    await terminal.keys('C-c');
    await expectRestored(terminal);
  });

  test('NO_COLOR has no colour, a locale without UTF-8 only ASCII', async () => {
    await using world = await watch({ env: { NO_COLOR: '1', LC_ALL: 'C' } });
    const { terminal } = world;
    await terminal.type('what time is it?');
    await terminal.keys('Enter');
    await terminal.saw('+ clock_now');
    const screen = await terminal.screen(true);
    expect(screen).not.toMatch(/\u001b\[(?:[\d;]*;)?(?:[34][0-8]|9\d)[;m]/);
    expect(screen.replace(/\u001b\[[\d;]*m/g, '')).toMatch(/^[\n -~]*$/);
  });
});

describe.skipIf(notBuilt !== undefined || noTmux !== undefined)('px tui where it cannot run', () => {
  test('says what to do when no px runs', async () => {
    const home = mkdtempSync(join(tmpdir(), 'px-tui-'));
    await using terminal = await new Tmux().open();
    await terminal.type(`${binary} --home ${home} tui; echo code $?`);
    await terminal.keys('Enter');
    expect(await terminal.saw('code 1')).toContain('px serve');
    rmSync(home, { recursive: true });
  });

  test('refuses a dumb terminal, and a pipe', async () => {
    await using terminal = await new Tmux().open();
    await terminal.type(`TERM=dumb ${binary} tui; echo code $?`);
    await terminal.keys('Enter');
    expect(await terminal.saw('code 1')).toContain('TERM is dumb');
    await using px = new Px();
    const piped = await px.run('tui');
    expect(piped.code).toBe(1);
    expect(piped.stderr).toContain('px tui needs a terminal');
  });
});
