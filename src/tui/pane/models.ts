import { type Line, line, spans } from '../line.ts';
import { signs } from '../look.ts';
import { fit, oneLine } from '../text.ts';
import { count, type DrawPane } from './pane.ts';

/** Which model answers, and what each was used for since this program looks. */
export const modelsPane: DrawPane = (state, columns, look) => {
  const sign = signs(look);
  const model = state.status?.model;
  const head: Line[] = [
    spans(
      ['default       ', 'dim'],
      [oneLine(model?.ref ?? '?', look), 'bold'],
      [` ${oneLine(model?.note ?? '', look)}`, 'dim'],
    ),
    spans(
      ['conversation  ', 'dim'],
      [state.model ? oneLine(state.model, look) : 'the default', state.model ? 'bold' : 'plain'],
    ),
    line(''),
  ];
  const name = Math.max(16, Math.min(32, columns - 42));
  head.push(line(`${fit('since px tui started', name)}  calls    input   cached   output`, 'dim'));
  const body = [...state.models].map(([ref, use]) =>
    spans(
      [fit(oneLine(ref, look), name, sign.more), 'bold'],
      [String(use.calls).padStart(7)],
      [count(use.input).padStart(9)],
      [count(use.cached).padStart(9), 'dim'],
      [count(use.output).padStart(9)],
    ),
  );
  return {
    head,
    body: body.length > 0 ? body : [line('No model was called yet. m: switch the model', 'dim')],
    anchor: 'start',
  };
};
