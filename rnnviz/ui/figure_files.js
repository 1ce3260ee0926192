// A figure as a file: SVG, a page that works offline, or its numbers. Loaded when the first one is asked for.
const TYPES = { svg: "image/svg+xml", html: "text/html", csv: "text/csv" };

function download(text, file, kind) {
  const url = URL.createObjectURL(new Blob([text], { type: `${TYPES[kind]};charset=utf-8` }));
  Object.assign(document.createElement("a"), { href: url, download: `${file}.${kind}` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser may ask where to put it
}

// Values as they stand in a table: quoted where they must be, nothing for NaN.
function cell(value) {
  if (value === undefined || value === null || Number.isNaN(value)) return "";
  const text = String(value).replace(/<[^>]+>/g, "");
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// One row a point: the curve's name, x, y, and of a heatmap or surface the value there. A trace's `meta` says when
// it shows no number, or when its points have another y than where they stand.
export function table(traces) {
  const rows = [["curve", "x", "y", "value"]];
  const measured = traces.filter(({ meta }) => meta !== "drawing");
  (measured.length ? measured : traces).forEach((trace, number) => {
    const name = trace.name || `curve ${number + 1}`;
    const { x = [], z, meta } = trace;
    const y = meta && "y" in meta ? x.map(() => meta.y) : (trace.y ?? []);
    if (z?.length)
      z.forEach((line, i) => line.forEach?.((value, j) => rows.push([name, x[j] ?? j, y[i] ?? i, value])));
    else for (let i = 0; i < Math.max(x.length, y.length); ++i) rows.push([name, x[i] ?? i, y[i], undefined]);
  });
  return `${rows.map((row) => row.map(cell).join(",")).join("\n")}\n`;
}

// What stands in a script of a page must not end it.
const harmless = (text) => text.replace(/<(?=[/!])/g, "\\u003c");

async function asPage({ name, label, data, layout, plotlyUrl }) {
  const plotly = await (await fetch(new URL(plotlyUrl, document.baseURI))).text();
  const figure = harmless(JSON.stringify({ data, layout: { ...layout, autosize: true } }));
  const paper = layout.paper_bgcolor ?? "white";
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${name}</title>
<style>html, body, #figure { height: 100%; margin: 0; background: ${paper}; }</style>
<div id="figure" role="figure"></div>
<script>${plotly.replace(/<\/script/gi, "<\\/script")}</script>
<script>
const figure = ${figure};
document.getElementById("figure").setAttribute("aria-label", ${harmless(JSON.stringify(label))});
Plotly.newPlot("figure", figure.data, figure.layout, { responsive: true, displaylogo: false });
</script>
</html>
`;
}

// message : as the figure was sent; node : where plotly has drawn it.
export async function save(kind, message, node) {
  if (kind === "svg") {
    const { offsetWidth: width, offsetHeight: height } = node;
    await window.Plotly.downloadImage(node, { format: "svg", filename: message.name, width, height });
  } else if (kind === "html") download(await asPage(message), message.name, kind);
  else download(table(node._fullData), message.name, kind);
}
