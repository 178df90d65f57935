/** A number with what it counts: `1 note`, `2 notes`. */
export const some = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
