{%- set scope = "source, survey_id, question_role" -%}
with
    failures as (select * from {{ ref("int_satisfaction__order_failures") }}),

    categories as (select * from {{ ref("fct_order_categories") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    orders as (select * from {{ ref("fct_orders") }} where is_counted),

    placed as (
        select
            orders.order_key,
            -- whose first order lies before the data begin has no first one in them
            case
                when customers.is_left_truncated
                then null
                when
                    row_number() over (
                        partition by orders.customer_key
                        order by orders.ordered_at, orders.order_key
                    )
                    = 1
                then 'first order'
                else 'later order'
            end as place
        from orders
        inner join customers on orders.customer_key = customers.customer_key
    ),

    segments as (
        select
            order_key,
            'delivery' as segment_by,
            case when is_promise_kept then 'on time' else 'late' end as segment
        from failures
        where is_promise_kept is not null
        union all
        select
            order_key,
            'failure' as segment_by,
            case when is_failed then 'failed' else 'not failed' end as segment
        from failures
        where is_failed is not null
        union all
        select order_key, 'first order' as segment_by, place as segment
        from placed
        where place is not null
        union all
        select order_key, 'channel' as segment_by, channel as segment
        from failures
        where channel is not null
        union all
        -- an order is in each of its categories
        select distinct order_key, 'category' as segment_by, category as segment
        from categories
        where category != 'unknown'
    ),

    responses as (
        select response_key, order_key
        from {{ ref("fct_survey_responses") }}
        where
            not is_duplicate and respondent_type = 'customer' and order_key is not null
    ),

    scores as (
        select *, role as question_role
        from {{ ref("fct_survey_scores") }}
        where scale_max > scale_min
    ),

    scales as ({{ usual_scales("scores", scope, "scale_max") }}),

    answers as (
        select
            scores.source,
            scores.survey_id,
            scores.question_role,
            scores.scale_min,
            scores.scale_max,
            responses.response_key,
            responses.order_key,
            cast(scores.score as decimal(12, 4)) as score
        from scores
        inner join scales using ({{ scope }}, scale_max)
        inner join responses on scores.response_key = responses.response_key
    ),

    -- all who were asked about an order that has a segment of this kind
    wholes as (
        select
            {{ scope }},
            segment_by,
            count(*) as whole_count,
            sum(score) as whole_sum,
            sum({{ wide_product("score", "score") }}) as whole_squares
        from
            (
                select distinct answers.*, segments.segment_by
                from answers
                inner join segments on answers.order_key = segments.order_key
            ) as known
        group by {{ scope }}, segment_by
    ),

    parts as (
        select
            {{ scope }},
            segment_by,
            segment,
            min(scale_min) as scale_min,
            max(scale_max) as scale_max,
            count(*) as answer_count,
            sum(score) as score_sum,
            sum({{ wide_product("score", "score") }}) as score_squares
        from answers
        inner join segments on answers.order_key = segments.order_key
        group by {{ scope }}, segment_by, segment
    ),

    compared as (
        select
            parts.*,
            wholes.whole_count,
            wholes.whole_count - parts.answer_count as rest_count,
            wholes.whole_sum - parts.score_sum as rest_sum,
            wholes.whole_squares - parts.score_squares as rest_squares,
            {{ variance_of_sums("whole_count", "whole_sum", "whole_squares") }}
            * (whole_count - 1) as whole_spread
        from parts
        inner join wholes using ({{ scope }}, segment_by)
    ),

    measured as (
        select
            *,
            {{ div("score_sum", "answer_count") }}
            - {{ div("rest_sum", "rest_count") }} as gap,
            sqrt(
                {{
                    div(
                        variance_of_sums(
                            "answer_count", "score_sum", "score_squares"
                        ),
                        "answer_count",
                    )
                }}
                + {{
                    div(
                        variance_of_sums("rest_count", "rest_sum", "rest_squares"),
                        "rest_count",
                    )
                }}
            ) as gap_error,
            answer_count < {{ var("min_base") }} as is_suppressed,
            answer_count >= {{ var("min_base") }}
            and rest_count >= {{ var("min_base") }} as is_compared
        from compared
    ),

    final as (
        select
            {{
                made_key(
                    ["source", "survey_id", "question_role", "segment_by", "segment"]
                )
            }} as order_segment_key,
            {{ scope }},
            cast(scale_min as {{ type_double() }}) as scale_min,
            cast(scale_max as {{ type_double() }}) as scale_max,
            segment_by,
            segment,
            answer_count,
            is_suppressed,
            {{
                mean_with_interval(
                    "mean_score",
                    "score_sum",
                    "score_squares",
                    "answer_count",
                    least="scale_min",
                    most="scale_max",
                )
            }},
            cast(rest_count as bigint) as rest_count,
            {{ suppress_small_mean("rest_sum", "rest_count") }} as rest_mean_score,
            {{ with_interval("difference", "gap", "gap_error", when="is_compared") }},
            case
                when is_compared then {{ normal_p_value(div("gap", "gap_error")) }}
            end as difference_p_value,
            case
                when is_compared
                then
                    {{
                        div(
                            "1.0 * answer_count * rest_count * gap * gap",
                            "whole_count * whole_spread",
                        )
                    }}
            end as explained_rate,
            case
                when is_suppressed
                then 'fewer answers than min_base'
                when not is_compared
                then 'fewer answers on all other orders than min_base'
                else 'association, not cause'
            end as caveat
        from measured
    )

select *
from final
