// Writes ../static/img/icons.svg: the lucide icons named here, each as a symbol. Run with `npm run icons`.
import { readFileSync, writeFileSync } from "node:fs";

const names = `activity archive arrow-down arrow-left arrow-right arrow-up ban bell briefcase building-2 calendar check
  chevron-down chevron-left chevron-right chevrons-up-down circle circle-alert circle-check circle-help circle-x clock
  copy credit-card database download external-link eye eye-off file-check file-text files flag flask-conical globe
  hand hash history home hourglass id-card inbox info key-round landmark layout-dashboard link list-checks loader lock
  log-in log-out mail map-pin menu message-square moon pause pencil phone play plus refresh-cw rotate-ccw scale
  scroll-text search send server settings shield shield-alert shield-check sliders-horizontal smartphone sun trash-2
  triangle-alert undo-2 upload user user-check user-plus users wallet webhook x zap`.split(/\s+/);

const symbols = names.map((name) => {
  const file = readFileSync(new URL(`node_modules/lucide-static/icons/${name === "home" ? "house" : name}.svg`, import.meta.url), "utf8");
  const body = file.slice(file.indexOf(">", file.indexOf("<svg")) + 1, file.lastIndexOf("</svg>"));
  return `<symbol id="${name}" viewBox="0 0 24 24">${body.replace(/\s*\n\s*/g, "")}</symbol>`;
});
writeFileSync(
  new URL("../static/img/icons.svg", import.meta.url),
  `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`,
);
