import { kvGetText, kvSet, randomBytes, type Tool } from 'px';

/** What px should know before it runs the plugin. */
export const manifest = {
  name: 'example-ts',
  version: '0.1.0',
  description: 'Rolls dice and remembers how many were rolled.',
};

/** Tools a model may call. What `run` throws is told to the model. */
export const tools: Tool[] = [
  {
    name: 'roll',
    description: 'Rolls dice, fairly. Give them as players write them: `d20`, `2d6+1`.',
    parameters: {
      type: 'object',
      properties: { dice: { type: 'string', description: 'Count, `d`, sides, and what is added: `3d6-2`.' } },
      required: ['dice'],
    },
    run: ({ dice }: { dice: string }) => roll(dice),
  },
  {
    name: 'rolled',
    description: 'How many dice were rolled so far.',
    parameters: { type: 'object', properties: {} },
    run: rolled,
  },
];

/** Rolls dice: `px plugin call example-ts roll '["2d6+1"]'`. */
export function roll(dice: string): { rolls: number[]; total: number } {
  const [, count = '', sides = '', plus = '0'] =
    /^(\d{0,2})d(\d{1,3})([+-]\d{1,4})?$/.exec(dice.replaceAll(' ', '')) ?? [];
  if (sides === '' || Number(sides) < 2) throw new Error(`not dice: ${dice}; write for example 2d6+1`);
  const rolls = Array.from({ length: Number(count || 1) }, () => one(Number(sides)));
  kvSet('rolled', `${rolled() + rolls.length}`);
  return { rolls, total: rolls.reduce((sum, n) => sum + n, Number(plus)) };
}

/** A fair die: numbers that would favour the small sides are thrown away. */
function one(sides: number): number {
  for (;;) {
    const [high = 0, low = 0] = randomBytes(2);
    const number = high * 256 + low;
    if (number < 65_536 - (65_536 % sides)) return 1 + (number % sides);
  }
}

/** Dice rolled in all, kept by px for this plugin alone. */
export function rolled(): number {
  return Number(kvGetText('rolled') ?? 0);
}
