{#
  Odds of a kept order after tickets of one speed against those solved slowly: crude (Woolf's interval; half a ticket
  is added to each cell when one is empty) and by thirds of earlier frequency (Mantel & Haenszel; the interval
  of Robins, Breslow & Greenland).
#}
{%- set z = var("z_score") -%}
with
    observed as (
        select source, severity, speed, prior_frequency, has_bought_again
        from {{ ref("fct_ticket_outcomes") }}
        where is_complaint and is_outcome_observed and speed is not null
    ),

    tickets as (
        select source, 'all' as severity, speed, prior_frequency, has_bought_again
        from observed
        union all
        select source, severity, speed, prior_frequency, has_bought_again
        from observed
    ),

    -- tickets of one speed (a bought again, b did not) against those solved slowly
    -- (c, d), by third of earlier frequency
    strata as (
        {% for speed in ["fast", "none"] %}
            select
                source,
                severity,
                '{{ speed }}' as speed,
                prior_frequency,
                {{ count_where("speed = '" ~ speed ~ "' and has_bought_again") }} as a,
                {{ count_where("speed = '" ~ speed ~ "' and not has_bought_again") }}
                as b,
                {{ count_where("speed = 'slow' and has_bought_again") }} as c,
                {{ count_where("speed = 'slow' and not has_bought_again") }} as d
            from tickets
            group by source, severity, prior_frequency
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    products as (
        select
            *,
            {{ rounded(div("a * d", "a + b + c + d"), 9, precision=19) }} as r,
            {{ rounded(div("b * c", "a + b + c + d"), 9, precision=19) }} as s,
            {{ rounded(div("a + d", "a + b + c + d"), 9, precision=19) }} as p,
            {{ rounded(div("b + c", "a + b + c + d"), 9, precision=19) }} as q,
            prior_frequency is not null and a + b > 0 and c + d > 0 as is_compared
        from strata
    ),

    summed as (
        select
            source,
            severity,
            speed,
            {% for name in ["a", "b", "c", "d"] -%}
                sum({{ name }}) as {{ name }},
            {% endfor %}
            case
                when sum(a) * sum(b) * sum(c) * sum(d) = 0 then 0.5 else 0
            end as added,
            sum(case when is_compared then a + b + c + d end) as adjusted_count,
            sum(case when is_compared then r end) as r,
            sum(case when is_compared then s end) as s,
            sum(case when is_compared then {{ wide_product("p", "r", 9) }} end) as pr,
            sum(
                case
                    when is_compared
                    then
                        {{ wide_product("p", "s", 9) }}
                        + {{ wide_product("q", "r", 9) }}
                end
            ) as ps_qr,
            sum(case when is_compared then {{ wide_product("q", "s", 9) }} end) as qs
        from products
        group by source, severity, speed
        having sum(a + b) > 0 and sum(c + d) > 0
    ),

    logged as (
        select
            *,
            ln((a + added) * (d + added) / ((b + added) * (c + added))) as log_odds,
            sqrt(
                {% for name in ["a", "b", "c", "d"] -%}
                    {{ div("1", name ~ " + added") }}
                    {% if not loop.last %} + {% endif %}
                {%- endfor %}
            ) as log_error,
            case when r > 0 and s > 0 then ln({{ div("r", "s") }}) end as adjusted_log,
            sqrt(
                {{ div(div("pr", "2 * r"), "r") }}
                + {{ div(div("ps_qr", "2 * r"), "s") }}
                + {{ div(div("qs", "2 * s"), "s") }}
            ) as adjusted_error
        from summed
    ),

    final as (
        select
            source,
            severity,
            speed,
            cast(a + b + c + d as bigint) as odds_count,
            {{ div("(a + added) * (d + added)", "(b + added) * (c + added)") }}
            as odds_ratio,
            added > 0 as is_odds_corrected,
            cast(coalesce(adjusted_count, 0) as bigint) as adjusted_count,
            case when r > 0 then {{ div("r", "s") }} end as odds_ratio_adjusted
            {%- for side, sign in [["low", "-"], ["high", "+"]] %}
                ,
                exp(log_odds {{ sign }} {{ z }} * log_error) as odds_ratio_{{ side }},
                exp(
                    adjusted_log {{ sign }} {{ z }} * adjusted_error
                ) as odds_ratio_adjusted_{{ side }}
            {%- endfor %}
        from logged
    )

select *
from final
