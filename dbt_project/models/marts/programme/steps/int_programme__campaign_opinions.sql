{#
  What campaigns did to opinions, from exact sums. Over-promise gap: expectation of those reached less
  others, within waves, weighted by those reached. Satisfaction effect: difference in differences.
#}
with
    strata as (select * from {{ ref("int_programme__campaign_answer_strata") }}),

    differences as ({{ arm_differences("strata", ["score"], by_stratum=true) }}),

    expectations as (
        select
            comparison_key,
            sum(treated_count) as exposed_count,
            sum(control_count) as unexposed_count,
            {{ weighted_difference("score") }} as over_promise,
            sqrt({{ weighted_variance("score") }}) as over_promise_error
        from differences
        where measure = 'expectation'
        group by comparison_key
    ),

    states as (
        select
            comparison_key, sum(c_count) as c_count, sum(c_below_count) as c_below_count
        from strata
        where measure = 'expectation' and is_treated
        group by comparison_key
    ),

    effects as (
        select
            later.comparison_key,
            least(
                before.treated_count,
                before.control_count,
                later.treated_count,
                later.control_count
            ) as smallest_count,
            later.score_difference - before.score_difference as effect,
            sqrt(later.score_variance + before.score_variance) as effect_error
        from differences as later
        inner join
            differences as before
            on later.comparison_key = before.comparison_key
            and before.measure = 'satisfaction'
            and before.stratum = 'before'
        where later.measure = 'satisfaction' and later.stratum = 'after'
    ),

    joined as (
        select
            scopes.scope_key,
            cast(coalesce(expectations.exposed_count, 0) as bigint) as exposed_count,
            cast(
                coalesce(expectations.unexposed_count, 0) as bigint
            ) as unexposed_count,
            expectations.over_promise,
            expectations.over_promise_error,
            cast(coalesce(states.c_count, 0) as bigint) as c_count,
            cast(
                case when states.c_count > 0 then states.c_below_count end as bigint
            ) as c_below_count,
            cast(coalesce(effects.smallest_count, 0) as bigint) as effect_count,
            effects.effect,
            effects.effect_error
        from
            (
                select distinct scope_key
                from {{ ref("int_programme__campaign_scopes") }}
            ) as scopes
        left join expectations on scopes.scope_key = expectations.comparison_key
        left join states on scopes.scope_key = states.comparison_key
        left join effects on scopes.scope_key = effects.comparison_key
    ),

    final as (
        select
            *,
            least(exposed_count, unexposed_count)
            < {{ var("min_base") }} as is_suppressed,
            {{
                with_interval(
                    "over_promise_gap",
                    "over_promise",
                    "over_promise_error",
                    when=is_enough("least(exposed_count, unexposed_count)"),
                )
            }},
            {{
                with_interval(
                    "csat_effect_index",
                    "effect",
                    "effect_error",
                    when=is_enough("effect_count"),
                )
            }}
        from joined
    )

select *
from final
