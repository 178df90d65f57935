import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { notBuilt, Px, until } from '../px.ts';
import { contract } from './contract.ts';
import { App, type MatrixEvent, openMatrix, put, shownBy } from './matrix.ts';
import { type Model, startModel } from './model.ts';
import { type Account, noSynapse, type Synapse, startSynapse } from './synapse.ts';

const text = (body: string, more: object = {}) => ({ msgtype: 'm.text', body, 'm.mentions': {}, ...more });

/** One Synapse for all of it: its start takes longer than most. */
describe.skipIf(noSynapse !== undefined || notBuilt !== undefined)('Matrix, on a Synapse', () => {
  let synapse: Synapse;
  let ada: Account;
  let bob: Account;
  let app: App;

  beforeAll(async () => {
    synapse = await startSynapse();
    [ada, bob] = [await synapse.register('ada', 'Ada L'), await synapse.register('bob', 'Bob')];
    app = new App(ada);
  }, 90_000);
  afterAll(async () => {
    await app?.[Symbol.asyncDispose]();
    await synapse?.[Symbol.asyncDispose]();
  });

  contract('matrix', { webhook: 'px asks for its messages' }, async () =>
    openMatrix(synapse, await synapse.register('one', 'one'), ada),
  );

  describe('px in its rooms', () => {
    let bot: Account;
    let model: Model;
    let px: Px;
    let chat = '';

    const room = async (options: object) =>
      String((await ada.call('POST', 'client/v3/createRoom', { invite: [bot.id], ...options }))['room_id']);
    const said = (where = chat) => shownBy(bot.id, ada, app.events(where));
    const answer = (what: string, fits: (body: string) => boolean, where = chat) =>
      until(what, async () => (await said(where)).find((one) => fits(one.text)), 60_000);
    const event = (id: string, where = chat) =>
      app.events(where).find((one: MatrixEvent) => one.event_id === id)?.content ?? {};
    const joined = (where: string, who = bot) =>
      until(`${who.id} in the room`, () =>
        app
          .events(where)
          .some((one) => one.type === 'm.room.member' && one.sender === who.id && one.content['membership'] === 'join'),
      );
    const join = (who: Account, where: string) =>
      who.call('POST', `client/v3/rooms/${encodeURIComponent(where)}/join`, {});

    beforeAll(async () => {
      bot = await synapse.register('px', 'Robot');
      model = startModel((words) =>
        words.includes('what time')
          ? { call: 'clock_now', args: {}, say: '**It is late**, says the clock:\n\n- bed\n- `sleep`' }
          : { say: `Heard ${words.split('\n').at(-1)}` },
      );
      px = new Px({ config: model.config, env: { TEST_KEY: 'sk-test-1234567890' } });
      await px.serve();
      await px.installed();
    }, 90_000);
    afterAll(async () => {
      await px?.[Symbol.asyncDispose]();
      await model?.[Symbol.asyncDispose]();
    });

    test('somebody follows the README, invites px, is let in by a code, and gets an answer with a tool, formatted', async () => {
      const plugin = 'plugins.matrix';
      const commands: [string[], string?][] = [
        [['config', 'set', `${plugin}.settings.homeserver`, synapse.url]],
        [['config', 'set', `${plugin}.grants.egress`, `["GET,POST,PUT ${synapse.url}/_matrix/"]`]],
        [['config', 'set', `${plugin}.grants.private_hosts`, `["${new URL(synapse.url).host}"]`]],
        [['config', 'set', `${plugin}.grants.secrets.MATRIX_TOKEN`, `["bearer ${synapse.url}/_matrix/"]`]],
        [['secret', 'set', 'MATRIX_TOKEN'], `${bot.token}\n`],
        [['config', 'set', 'channels.matrix.enabled', 'true']],
      ];
      for (const [args, input] of commands)
        expect([args, await px.pipe(input, ...args)]).toMatchObject([args, { code: 0, stderr: '' }]);
      chat = await room({ preset: 'trusted_private_chat', is_direct: true });
      await put(ada, chat, text('hello?'));
      const ask = await answer('the pairing code', (body) => body.includes('pairing code'));
      expect((await px.run('pairing', 'approve', /\b[A-Z2-9]{8}\b/.exec(ask.text)?.[0] ?? '')).stdout).toContain(
        'owner',
      );
      await put(ada, chat, text('what time is it?'));
      const { id } = await answer('the time', (body) => body.includes('It is late'));
      expect(event(id)).toMatchObject({
        body: '**It is late**, says the clock:\n\n- bed\n- `sleep`',
        format: 'org.matrix.custom.html',
        formatted_body: '<p><b>It is late</b>, says the clock:</p><ul><li>bed</li><li><code>sleep</code></li></ul>',
      });
      expect((await px.run('plugin', 'call', 'matrix', 'account', '[]')).stdout).toContain(bot.id);
    }, 60_000);

    test('an edit is a correction, and a reply says what it is to', async () => {
      const id = await put(ada, chat, text('what I ment'));
      await answer('the answer', (body) => body === 'Heard what I ment');
      const edited = { 'm.new_content': text('what I meant'), 'm.relates_to': { rel_type: 'm.replace', event_id: id } };
      await put(ada, chat, text('* what I meant', edited));
      const first = await answer('to the correction', (body) => body === 'Heard (corrected) what I meant');
      const reply = { 'm.relates_to': { 'm.in_reply_to': { event_id: first.id } } };
      await put(ada, chat, text('why?', reply));
      await answer('to the reply', (body) => body === 'Heard why?');
      // Ids come from whoever writes: one that px would fill in goes nowhere and holds nothing up.
      const odd = { 'm.relates_to': { 'm.in_reply_to': { event_id: '{{secret:MATRIX_TOKEN}}' } } };
      await put(ada, chat, text('and this?', odd));
      await answer('to what replies to nothing', (body) => body === 'Heard and this?');
      expect(px.journal()).toContain('[In reply to Robot: “Heard (corrected) what I meant”]');
    }, 60_000);

    test('commands are written with !, and a question has signs to tap', async () => {
      await put(ada, chat, text('!model'));
      const { id, text: question } = await answer('the models', (body) => body.includes('1️⃣'));
      const signs = () =>
        app.events(chat).filter(({ type, content }) => type === 'm.reaction' && JSON.stringify(content).includes(id));
      await until('the signs', () => signs().some((one) => one.sender === bot.id));
      const sign = /^(\S+) openai\/gpt-4o$/m.exec(question)?.[1] ?? '';
      await put(ada, chat, { 'm.relates_to': { rel_type: 'm.annotation', event_id: id, key: sign } }, 'm.reaction');
      await answer('to the tap', (body) => body.includes('openai/gpt-4o answers here'));
      await put(ada, chat, text('!nothing of the kind'));
      await answer('to what is no command', (body) => body.startsWith('I do not know /nothing'));
    }, 60_000);

    test('in a group px answers who mentions it or replies to it, in the thread, and nobody else', async () => {
      const group = await room({ preset: 'private_chat', name: 'Team', invite: [bot.id, bob.id] });
      await join(bob, group);
      await joined(group);
      await put(ada, group, text('nothing to do with robots'));
      await put(bob, group, text('Robot: a stranger asks'));
      const mention = { 'm.mentions': { user_ids: [bot.id] } };
      const root = await put(ada, group, text('Robot: are you there?', mention));
      const named = await answer('the answer', (body) => body === 'Heard are you there?', group);
      await put(ada, group, text('and now?', { 'm.relates_to': { 'm.in_reply_to': { event_id: named.id } } }));
      await answer('to the reply', (body) => body === 'Heard and now?', group);
      const thread = { rel_type: 'm.thread', event_id: root, is_falling_back: true };
      await put(ada, group, text('@robot: in here', { 'm.relates_to': thread }));
      await put(ada, group, text('Robot, in here', { ...mention, 'm.relates_to': thread }));
      const inside = await answer('in the thread', (body) => body === 'Heard in here', group);
      expect(event(inside.id, group)['m.relates_to']).toMatchObject({ rel_type: 'm.thread', event_id: root });
      expect(px.journal()).not.toContain('nothing to do with robots');
      expect(px.journal()).not.toContain('a stranger asks');
    }, 90_000);

    test('what was said while px was away is read whole, also when the server leaves out most of it', async () => {
      expect(await px.stop()).toBe(0);
      const asked: string[] = [];
      for (let i = 0; i < 40; i++) {
        asked.push(`missed ${i}`);
        await put(ada, chat, text(`missed ${i}`));
      }
      await px.serve();
      await until('the last', async () => (await said()).some((one) => one.text.endsWith('Heard missed 39')), 180_000);
      const answers = (await said()).map((one) => one.text.replace(/^[\s\S]*Heard /, ''));
      expect(answers.filter((one) => one.startsWith('missed'))).toEqual(asked);
    }, 240_000);

    test('an encrypted room is told once that px cannot read it', async () => {
      const encryption = { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } };
      const secret = await room({ preset: 'trusted_private_chat', initial_state: [encryption] });
      const { id } = await answer('the word', (body) => body.includes('end-to-end encrypted'), secret);
      expect(event(id, secret)['msgtype']).toBe('m.notice');
      await put(ada, secret, { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: 'AwgA' }, 'm.room.encrypted');
      await put(ada, chat, text('and here?'));
      await answer('in the open room', (body) => body === 'Heard and here?');
      expect(await said(secret)).toHaveLength(1);
      expect(px.log).toContain('end-to-end encrypted');
    }, 60_000);

    test('invitations of who may not invite px are turned down', async () => {
      expect((await px.run('config', 'set', 'plugins.matrix.settings.invites', '["@bob:px.test"]')).code).toBe(0);
      await until('the channel', async () => /^channel matrix +running/m.test((await px.run('status')).stdout));
      const refused = await room({ preset: 'private_chat' });
      const left = () =>
        app.events(refused).some((one) => one.sender === bot.id && one.content['membership'] === 'leave');
      await until('px to decline', left);
    }, 60_000);

    test('a token that was signed out is said so, and a new one is taken without a restart', async () => {
      const { password } = bot;
      await bot.call('POST', 'client/v3/logout', {});
      await until('the state', async () => (await px.run('status')).stdout.includes('token refused'));
      const identifier = { type: 'm.id.user', user: 'px' };
      const login = await bot.call('POST', 'client/v3/login', { type: 'm.login.password', identifier, password });
      expect((await px.pipe(`${login['access_token']}\n`, 'secret', 'set', 'MATRIX_TOKEN')).code).toBe(0);
      await put(ada, chat, text('are you back?'));
      await answer('with the new token', (body) => body === 'Heard are you back?');
      expect(px.log).not.toContain(bot.token);
    }, 90_000);
  });
});
