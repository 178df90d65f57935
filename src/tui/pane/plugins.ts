import { line, spans } from '../line.ts';
import { type Style, signs } from '../look.ts';
import type { PluginEvent } from '../state.ts';
import { fit, oneLine } from '../text.ts';
import { clock, type DrawPane, duration, megabytes } from './pane.ts';

const nameColumns = 18;

/** Plugins with their use and memory; under them each execution and each denial as it happens. */
export const pluginsPane: DrawPane = (state, _columns, look) => {
  const sign = signs(look);
  const head = [line(`${fit('plugin', nameColumns)} state         calls failed denied    time   memory`, 'dim')];
  for (const [name, plugin] of [...state.plugins].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const style: Style = plugin.state === 'working' ? 'good' : plugin.state === 'idle' ? 'plain' : 'warn';
    head.push(
      spans(
        [`${fit(oneLine(name, look), nameColumns, sign.more)} `, 'bold'],
        [fit(oneLine(plugin.state, look), 12), style],
        [String(plugin.calls).padStart(7)],
        [String(plugin.failed).padStart(7), plugin.failed > 0 ? 'bad' : 'dim'],
        [String(plugin.denied).padStart(7), plugin.denied > 0 ? 'bad' : 'dim'],
        [(plugin.calls === 0 ? '-' : duration(plugin.ms)).padStart(8)],
        [(plugin.rssBytes === undefined ? '-' : megabytes(plugin.rssBytes)).padStart(9), 'dim'],
      ),
    );
    if (plugin.detail !== '')
      head.push(line(`  ${oneLine(plugin.detail.slice(0, 500), look)}`, plugin.state === 'disabled' ? 'dim' : 'warn'));
  }
  const styles: Record<PluginEvent['state'], [string, Style]> = {
    ok: [sign.ok, 'good'],
    failed: [sign.no, 'bad'],
    denied: [sign.no, 'bad'],
    note: [sign.rule, 'dim'],
  };
  const body = state.pluginEvents.map((event) => {
    const [mark, style] = styles[event.state];
    return spans(
      [`${clock(event.at)} `, 'dim'],
      [`${mark} `, style],
      [`${oneLine(event.plugin, look)} `, 'bold'],
      [event.state === 'denied' ? 'denied ' : '', 'bad'],
      [oneLine(event.what, look), 'tool'],
      [event.ms === undefined ? '' : ` ${duration(event.ms)}`],
      [event.detail === '' ? '' : ` ${oneLine(event.detail.slice(0, 500), look)}`, style === 'good' ? 'plain' : style],
    );
  });
  if (body.length === 0) body.push(line('No execution since px tui was started.', 'dim'));
  return { head: [...head, line('')], body, anchor: 'end' };
};
