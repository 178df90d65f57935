import { kvGetText, kvSet, randomBytes, type Tool } from 'px';

/** What px should know before it runs the plugin. */
export const manifest = {
  name: 'example-ts',
  version: '0.1.0',
  description: 'Rolls dice and remembers favourite ones.',
};

/** Tools a model may call. What `run` throws is told to the model. */
export const tools: Tool[] = [
  {
    name: 'roll',
    description:
      'Rolls dice, fairly. Give them as players write them: `d20`, `2d6+1`; without any, the favourite ones roll.',
    parameters: {
      type: 'object',
      properties: { dice: { type: 'string', description: 'Count, `d`, sides, and what is added: `3d6-2`.' } },
    },
    run: ({ dice }: { dice?: string }) => roll(dice),
  },
  {
    name: 'favourite',
    description: 'Makes dice the favourite ones.',
    parameters: { type: 'object', properties: { dice: { type: 'string' } }, required: ['dice'] },
    run: ({ dice }: { dice: string }) => favourite(dice),
  },
];

/** Rolls dice: `px plugin call example-ts roll '["2d6+1"]'`. */
export function roll(dice = kvGetText('favourite') ?? 'd6'): { rolls: number[]; total: number } {
  const { count, sides, plus } = read(dice);
  const rolls = Array.from({ length: count }, () => one(sides));
  return { rolls, total: rolls.reduce((sum, n) => sum + n, plus) };
}

/** Keeps dice in the plugin's own store, which px encrypts. */
export function favourite(dice: string): string {
  read(dice);
  kvSet('favourite', dice);
  return `Favourite dice: ${dice}`;
}

function read(dice: string): { count: number; sides: number; plus: number } {
  const found = /^(\d{0,2})d(\d{1,3})([+-]\d{1,4})?$/.exec(dice.replaceAll(' ', ''));
  const [, count = '', sides = '', plus = '0'] = found ?? [];
  if (Number(sides) < 2) throw new Error(`not dice: ${dice}; write for example 2d6+1`);
  return { count: Number(count || 1), sides: Number(sides), plus: Number(plus) };
}

/** A fair die: numbers that would favour the small sides are thrown away. */
function one(sides: number): number {
  for (;;) {
    const [high = 0, low = 0] = randomBytes(2);
    const number = high * 256 + low;
    if (number < 65_536 - (65_536 % sides)) return 1 + (number % sides);
  }
}
