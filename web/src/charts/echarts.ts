/** ECharts with only the parts that a course over time needs. */
import { LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { init, use, type EChartsType } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import type { Sample } from "@/api/types";
import { measured, number, time, unitText } from "@/i18n/format";
import { token } from "@/state/theme";

use([LineChart, GridComponent, TooltipComponent, LegendComponent, MarkLineComponent, CanvasRenderer]);

export type Chart = EChartsType;

export function create(box: HTMLElement): Chart {
  return init(box);
}

interface Drawing {
  courses: { name: string; samples: Sample[] }[];
  unit: string;
  threshold: { value: number; name: string } | null;
}

const still = (): boolean => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

export function draw(chart: Chart, { courses, unit, threshold }: Drawing): void {
  const [ink, soft, line, panel] = [token("--ink"), token("--ink-soft"), token("--line"), token("--panel")];
  const font = { color: soft, fontFamily: token("--sans"), fontSize: 12 };
  const many = courses.length > 1;
  chart.setOption(
    {
      animation: !still(),
      animationDuration: 300,
      color: [token("--trend"), token("--level-orange"), token("--level-blue"), token("--good"), token("--level-red")],
      textStyle: font,
      grid: { left: 8, right: 16, top: many ? 36 : 24, bottom: 4, outerBoundsMode: "same" },
      legend: many ? { type: "scroll", top: 0, left: 0, right: 0, pageIconColor: soft, pageTextStyle: font, textStyle: font, icon: "roundRect", itemHeight: 3, itemWidth: 14 } : { show: false },
      tooltip: {
        trigger: "axis",
        renderMode: "richText",
        backgroundColor: panel,
        borderColor: line,
        textStyle: { ...font, color: ink },
        axisPointer: { lineStyle: { color: soft }, label: { formatter: ({ value }: { value: number }) => time(value) } },
        valueFormatter: (value: unknown) => (typeof value === "number" ? measured(value, unit) : "–"),
      },
      xAxis: {
        type: "time",
        axisLine: { lineStyle: { color: line } },
        axisTick: { show: false },
        axisLabel: { ...font, hideOverlap: true, formatter: (value: number) => time(value) },
        splitNumber: 4,
      },
      yAxis: { type: "value", name: unitText(unit), nameTextStyle: { ...font, align: "left" }, axisLabel: font, splitLine: { lineStyle: { color: line } }, scale: false },
      series: courses.map(({ name, samples }, i) => ({
        type: "line",
        name,
        data: samples.map(([when, value]) => [Date.parse(when), value]),
        showSymbol: samples.length < 40,
        symbolSize: 5,
        connectNulls: false,
        lineStyle: { width: 1.75 },
        ...(threshold && i === 0
          ? {
              markLine: {
                silent: true,
                symbol: "none",
                lineStyle: { color: token("--bad"), type: "dashed" },
                label: { formatter: `${threshold.name} ${number(threshold.value)}`, color: token("--bad"), position: "insideStartTop" },
                data: [{ yAxis: threshold.value }],
              },
            }
          : {}),
      })),
    },
    { notMerge: true },
  );
}
