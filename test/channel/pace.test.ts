import { afterEach, expect, jest, test } from 'bun:test';
import { createPace } from '../../src/channel/pace.ts';
import { createStreams } from '../../src/channel/streams.ts';
import { defaultTiming } from '../../src/channel/timing.ts';
import { createLog } from '../../src/log/log.ts';
import { openStore } from '../../src/store/store.ts';
import { createBus, type Inbound } from '../../src/wire/wire.ts';
import { inbound } from './world.ts';

afterEach(() => jest.useRealTimers());

const now = () => Date.now();
const inTopic = (topic: number): Inbound => ({
  ...inbound('chat', `m${topic}`),
  ...{ chat: `-100:${topic}`, conversation: `chat/-100:${topic}`, metadata: { group: true, within: '-100' } },
});

/** When something was written, in ms, for each of these messages while its answer grows for so many seconds. */
async function written(
  messages: Inbound[],
  seconds: number,
  finishEvery = Number.POSITIVE_INFINITY,
): Promise<number[]> {
  jest.useFakeTimers({ now: 1_000_000 });
  const store = openStore(':memory:');
  const bus = createBus();
  const times: number[] = [];
  const streams = createStreams({
    ...{ store, bus, log: createLog({ sinks: [] }), timing: { ...defaultTiming, now } },
    ...{
      wanted: () => true,
      can: (_channel, ability) => ability === 'edit',
      maxText: () => 4096,
      replyTo: () => undefined,
    },
    act: async () => `p${times.push(now())}`,
  });
  let turns = 0;
  const open = messages.map(() => ({ item: { seq: 0, inbound: inbound('chat', '') }, turn: '' }));
  for (let second = 0; second < seconds; second++) {
    for (const [at, message] of messages.entries()) {
      const { conversation } = message;
      if (second % finishEvery === 0 || second === 0) {
        const before = open[at];
        if (before && before.turn !== '') {
          bus.emit({
            type: 'turn.end',
            conversation,
            turn: before.turn,
            model: 'offline/px',
            reason: 'stop',
            text: '',
          });
          await streams.finish(before.item);
          times.push(now());
          streams.forget(before.item.seq);
        }
        const item = { seq: ++turns, inbound: { ...message, id: `${turns}` } };
        open[at] = { item, turn: `t${turns}` };
        streams.began(item);
        bus.emit({ type: 'turn.start', conversation, turn: `t${turns}`, model: 'offline/px', messageId: `${turns}` });
      }
      bus.emit({ type: 'turn.text', conversation, turn: open[at]?.turn ?? '', text: 'and some more words ' });
    }
    jest.advanceTimersByTime(1_000);
    for (let i = 0; i < 20; i++) await null;
  }
  streams.close();
  store.close();
  return times;
}

/** Most of them within any minute. */
const inAMinute = (times: number[]) =>
  Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 60_000).length));

test('an answer that is written in a group is shown at a rate the platform allows', async () => {
  const times = await written([inTopic(1)], 180);
  expect(inAMinute(times)).toBe(defaultTiming.groupMinute);
  expect(times.length).toBeGreaterThan(36);
});

test('answers in several topics of a group, and short ones, stay together below twenty a minute', async () => {
  expect(inAMinute(await written([1, 2, 3].map(inTopic), 180))).toBeLessThanOrEqual(20);
  const short = await written([inTopic(1)], 180, 5);
  expect(inAMinute(short)).toBeLessThanOrEqual(20);
});

test('a private chat is not held back, nor one group by another', () => {
  jest.useFakeTimers({ now: 1_000_000 });
  const pace = createPace({ now, groupMinute: 2 });
  const other = { ...inTopic(7), metadata: { group: true, within: '-200' } };
  for (const message of [inTopic(1), inTopic(2), inbound('chat', '1'), inbound('chat', '2')]) pace.wrote(message);
  expect([inTopic(3), other, inbound('chat', '3')].map(pace.wait)).toEqual([60_000, 0, 0]);
  jest.advanceTimersByTime(59_000);
  expect(pace.wait(inTopic(3))).toBe(1_000);
  jest.advanceTimersByTime(1_000);
  expect(pace.wait(inTopic(3))).toBe(0);
});
