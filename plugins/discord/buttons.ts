import type { Json, Outgoing } from 'px';
import { carried, said as saidBy } from '../button-words.ts';

/** Most characters of what a button carries, and of what stands on it. */
const maxId = 100;
const maxLabel = 80;
/** Buttons in a row, and rows under a message. */
const perRow = 5;
const maxRows = 5;

/** Buttons under a message; an empty list takes those away that are there. */
export function rowsOf(choices: Outgoing['choices']): Json[] {
  const buttons = choices.slice(0, perRow * maxRows).map(({ label, says }, at): Json => {
    // Each must be another one, also where two say the same.
    return {
      type: 2,
      style: 2,
      label: label.slice(0, maxLabel) || '…',
      custom_id: `${at}:${carried(says, says.length <= maxId - 4)}`,
    };
  });
  const rows: Json[] = [];
  for (let at = 0; at < buttons.length; at += perRow)
    rows.push({ type: 1, components: buttons.slice(at, at + perRow) });
  return rows;
}

/** What a pressed button says; nothing for a button of long ago. */
export function said(id: string): string | undefined {
  return saidBy(id.replace(/^\d+:/, ''));
}
