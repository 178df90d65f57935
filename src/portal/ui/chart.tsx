/** @jsxImportSource hono/jsx */
/** One bar: what it stands for, how high, and what it says. */
export interface Bar {
  label: string;
  value: number;
  says: string;
}

const width = 640;
const height = 140;

/** Bars over a line, with what the highest stands for. The numbers are in a table too, for who cannot see them. */
export function Bars(props: { bars: Bar[]; title: string; most: string; scale: (value: number) => string }) {
  const { bars, title, most, scale } = props;
  const top = Math.max(...bars.map((bar) => bar.value), 0);
  const step = width / Math.max(1, bars.length);
  const wide = Math.max(2, Math.min(36, step - 4));
  const every = Math.ceil(bars.length / 8);
  return (
    <figure class="chart">
      <figcaption>
        <span>{title}</span> <span class="soft">{most}</span>
      </figcaption>
      <svg viewBox={`0 0 ${width} ${height + 22}`} role="img" aria-label={`${title}; ${most}`}>
        <line x1="0" y1={height} x2={width} y2={height} class="axis" />
        <line x1="0" y1="4" x2={width} y2="4" class="grid" />
        {bars.map((bar, i) => {
          const high = top === 0 ? 0 : Math.max(bar.value > 0 ? 2 : 0, (bar.value / top) * (height - 4));
          return (
            <g>
              <title>{`${bar.label}: ${bar.says}`}</title>
              <rect class="hit" x={i * step} y="0" width={step} height={height} />
              <rect
                class="column"
                x={i * step + (step - wide) / 2}
                y={height - high}
                width={wide}
                height={high}
                rx="2"
              />
              {i % every === 0 && (
                <text
                  class={(i / every) % 2 === 1 ? 'between' : undefined}
                  x={i * step + step / 2}
                  y={height + 18}
                  text-anchor="middle"
                >
                  {bar.label}
                </text>
              )}
            </g>
          );
        })}
        {top > 0 && (
          <text x="0" y="9">
            {scale(top)}
          </text>
        )}
      </svg>
      <details class="numbers">
        <summary>As numbers</summary>
        <table>
          <tbody>
            {bars.map((bar) => (
              <tr>
                <th scope="row">{bar.label}</th>
                <td>{bar.says}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}
