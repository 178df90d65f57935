import { describe, expect, test } from 'bun:test';
import { echoTool } from '../tool/fakes.ts';
import { agentWith, say } from './fakes.ts';

describe('chat commands', () => {
  test('are answered by px: no model, no journal entry, one turn on the bus', async () => {
    const { ask, models, kinds, events, streamed } = agentWith([say('no')]);
    const { text, reason } = await ask('/help');
    expect(reason).toBe('stop');
    for (const name of ['/help', '/status', '/new', '/model', '/stop', '/tools']) expect(text).toContain(name);
    expect(models.requests).toHaveLength(0);
    expect(kinds()).toEqual([]);
    expect(streamed()).toBe(text);
    expect(events.map((event) => event.type)).toEqual(['turn.start', 'turn.text', 'turn.end']);
  });

  test("know Telegram's spelling and first message", async () => {
    const { ask } = agentWith([]);
    expect((await ask('/start')).text).toContain('/help');
    expect((await ask('/STATUS@my_px_bot')).text).toContain('Model: offline/px');
  });

  test('that do not exist say so', async () => {
    expect((await agentWith([]).ask('/frobnicate now')).text).toBe(
      'I do not know /frobnicate. /help lists what you can type.',
    );
    expect((await agentWith([]).ask('/constructor')).text).toContain('I do not know');
  });

  test('a path, and the /tool of the offline model, are for the model', async () => {
    const { ask, models } = agentWith([say('ok')]);
    await ask('/etc/hosts has what in it?');
    await ask('/tool memory_search {"query":"x"}', { id: 'm2' });
    expect(models.requests).toHaveLength(2);
  });

  test('are what somebody types: what a script hands on, or a job asks, is text for the model', async () => {
    for (const typed of ['/link', '/new', '/stop', '/queue collect', '/nothing']) {
      const { ask, models } = agentWith([say('ok')], { over: { who: () => ({ from: 'schedule', name: 'script' }) } });
      expect((await ask(typed)).text).toBe('ok');
      expect(JSON.stringify(models.requests[0]?.messages)).toContain(typed);
    }
  });

  test('/model switches this conversation live and keeps it; default goes back', async () => {
    const { ask, models, events } = agentWith([say('ok')]);
    await ask('first');
    expect((await ask('/model openai/gpt-5', { id: 'm2' })).text).toContain('openai/gpt-5 answers here');
    await ask('second', { id: 'm3' });
    await ask('/model default', { id: 'm4' });
    await ask('third', { id: 'm5' });
    expect(models.requests.map((request) => request.model)).toEqual(['offline/px', 'openai/gpt-5', 'offline/px']);
    expect(models.requests[1]?.messages).toHaveLength(3);
    expect(events.filter((event) => event.type === 'model.changed')).toHaveLength(2);
  });

  test('/model with an unknown name changes nothing and names what is near', async () => {
    const { ask, sessions } = agentWith([]);
    expect((await ask('/model fsat')).text).toBe('No model "fsat".\nDid you mean "fast"?');
    expect((await sessions.open('cli/default')).model).toBeUndefined();
  });

  test('/model alone shows what answers, why, and what else there is', async () => {
    const { text } = await agentWith([]).ask('/model');
    expect(text).toContain('offline/px (nothing else is set up)');
    expect(text).toContain('openai/gpt-5');
  });

  test('/new starts afresh, /stop stops', async () => {
    const { ask, models, sessions } = agentWith([say('ok')]);
    await ask('old talk');
    await ask('/new', { id: 'm2' });
    expect((await sessions.open('cli/default')).messages).toEqual([]);
    expect((await ask('/stop', { id: 'm3' })).text).toBe('Stopping.');
    expect((await ask('/stop', { id: 'm4' })).text).toBe('Nothing is running.');
    expect(models.requests).toHaveLength(1);
  });

  test('/tools shows where a tool comes from and what is denied', async () => {
    const { ask } = agentWith([], { tools: [echoTool('pay')], yaml: { agent: { tools: { deny: ['pay'] } } } });
    const { text } = await ask('/tools');
    expect(text).toContain('memory_search (px)');
    expect(text).toContain('pay (plugin/demo, denied)');
  });

  test('/model offers its names as buttons too', async () => {
    const { ask } = agentWith([]);
    expect((await ask('/model')).choices).toContainEqual({ label: 'openai/gpt-5', says: '/model openai/gpt-5' });
    expect((await ask('/help', { id: 'm2' })).choices).toBeUndefined();
  });
});
