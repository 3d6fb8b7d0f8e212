// Watches as charts, one below the other, since each has its own unit: through the layers, or along the continuation.
import { layerAt } from "../../domain/layer";
import { useLayerCourses, useStepCourses } from "../../run/useCourses";
import { useTrace } from "../../run/useTrace";
import { getView, setView, useView } from "../../run/view";
import { Segments } from "../../ui/controls";
import { Empty, ErrorNote } from "../../ui/notes";
import { useRoving } from "../../ui/roving";
import { ExpressionBox } from "../session/ExpressionBox";
import { WatchChart } from "./WatchChart";
import css from "./trajectory.module.css";

export function Watches() {
  const { watches, along, layer } = useView();
  const { show, compared, position, promptLength, data } = useTrace();
  const layered = useLayerCourses(along === "layers");
  const stepped = useStepCourses(along === "steps");
  const { a, b, failure, waiting, stale } = along === "layers" ? layered : stepped;
  const group = useRoving<HTMLDivElement>();
  const both = compared && show === "difference" && a !== null;
  const courses = compared && show === "base" && a !== null ? a : b;
  const at = along === "layers" ? layerAt(layer, data?.model.layers ?? 0) : position - promptLength + 2;
  return (
    <div className={css.trajectory} data-stale={stale} aria-busy={stale || waiting}>
      <div className={css.legend}>
        <Segments
          label="Watches along"
          value={along}
          options={[
            { value: "layers", label: "Layers" },
            { value: "steps", label: "Steps", title: "The tokens that were generated" },
          ]}
          onChange={(next) => setView({ along: next })}
        />
        <div className={css.add}>
          <ExpressionBox
            label="Chart a watch"
            placeholder='p(" she"), entropy(), L12D345'
            condition={false}
            onAdd={(one) => setView({ watches: [...getView().watches.filter((other) => other !== one), one] })}
          />
        </div>
        {both && <span className="muted">solid: B · dashed: A</span>}
      </div>
      {failure !== null && <ErrorNote failure={failure} />}
      {watches.length === 0 ? (
        <Empty title="Nothing is watched yet">
          An expression is followed through the layers and along the continuation, such as <code>entropy()</code> or{" "}
          <code>L12H3</code>.
        </Empty>
      ) : courses.length === 0 || courses.every(({ x }) => x.length === 0) ? (
        failure === null && (
          <Empty title={waiting ? "Evaluating the watches…" : "No steps yet"}>
            {!waiting && "Generate or debug: then watches are followed along the tokens."}
          </Empty>
        )
      ) : (
        <div className={css.watches} ref={group}>
          {courses.map((course) => (
            <WatchChart
              key={course.expression}
              course={course}
              then={both ? (a.find(({ expression }) => expression === course.expression) ?? null) : null}
              along={along}
              at={at}
              onPick={(chosen) =>
                setView(along === "layers" ? { layer: chosen } : { position: promptLength - 2 + chosen })
              }
            />
          ))}
        </div>
      )}
    </div>
  );
}
