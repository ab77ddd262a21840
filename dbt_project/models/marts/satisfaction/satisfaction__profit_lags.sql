{#-
  Correlation of a wave's satisfaction with the margin of the customers some months later, over the waves; from exact sums. A handful
  of waves correlates with anything, so below lag_waves there is a reason instead of a figure.
-#}
{%- set lags = var("lag_months") | int -%}
with
    figures as (
        select *
        from {{ ref("int_satisfaction__segment_figures") }}
        where respondent_type = 'customer'
    ),

    waves as (select * from {{ ref("dim_survey_waves") }}),

    months as (
        select *
        from {{ ref("dim_months") }}
        where not is_after_as_of and not is_partial
    ),

    segments as (select * from {{ ref("dim_customer_segments") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    sold as (
        select
            segments.segment_by,
            segments.segment,
            activity.month,
            sum(activity.goods_amount) as goods_amount,
            sum(activity.sold_cost_amount) as sold_cost_amount,
            sum(activity.costed_amount) as costed_amount,
            sum(activity.uncosted_line_count) as uncosted_line_count
        from {{ ref("fct_customer_months") }} as activity
        inner join segments on activity.base_key = segments.customer_key
        inner join customers on activity.base_key = customers.customer_key
        cross join as_of
        where activity.currency_code = as_of.reporting_currency_code
        group by segments.segment_by, segments.segment, activity.month
    ),

    -- where too few unit costs are known, the margin is not known
    earned as (
        select
            *,
            case
                when {{ waterfall("is_costed") }}
                then cast(goods_amount - sold_cost_amount as decimal(28, 2))
            end as margin_amount
        from sold
    ),

    -- answers also have segments that no customer belongs to: a mode, a touchpoint
    customer_kinds as (select distinct segment_by, segment from segments),

    lags as ({{ numbers(lags + 1) }}),

    pairs as (
        select
            figures.source,
            figures.survey_id,
            figures.segment_by,
            figures.segment,
            lags.n as lag_months,
            cast(figures.satisfaction_index as decimal(9, 4)) as x,
            case
                when months.month is null
                then null
                when earned.month is null
                then 0
                else earned.margin_amount
            end as y
        from figures
        inner join waves using (source, survey_id, wave)
        cross join lags
        inner join customer_kinds using (segment_by, segment)
        left join months on months.month = {{ add_months("waves.month", "lags.n") }}
        left join
            earned
            on figures.segment_by = earned.segment_by
            and figures.segment = earned.segment
            and months.month = earned.month
        where not figures.is_suppressed
    ),

    -- exact sums of the index (x) and the margin (y) of the waves
    summed as (
        select
            source,
            survey_id,
            segment_by,
            segment,
            lag_months,
            count(x + y) as pair_count,
            sum(case when y is not null then x end) as x_sum,
            sum(case when x is not null then y end) as y_sum,
            sum(x * y) as xy_sum,
            sum(
                case when y is not null then {{ wide_product("x", "x") }} end
            ) as xx_sum,
            sum(
                case when x is not null then {{ amount_product("y", "y") }} end
            ) as yy_sum
        from pairs
        group by source, survey_id, segment_by, segment, lag_months
    ),

    final as (
        select
            source,
            survey_id,
            segment_by,
            segment,
            cast(lag_months as bigint) as lag_months,
            pair_count,
            pair_count < {{ var("lag_waves") }} as is_suppressed,
            case
                when pair_count >= {{ var("lag_waves") }}
                then
                    {{
                        div(
                            "pair_count * xy_sum - x_sum * y_sum",
                            "sqrt(cast(pair_count * xx_sum - x_sum * x_sum as "
                            ~ type_double()
                            ~ ")) * sqrt(cast(pair_count * yy_sum - y_sum * y_sum as "
                            ~ type_double()
                            ~ "))",
                        )
                    }}
            end as lag_correlation,
            case
                when pair_count < {{ var("lag_waves") }}
                then
                    'only '
                    || cast(pair_count as {{ dbt.type_string() }})
                    || ' waves with a margin, {{ var("lag_waves") }} are needed'
            end as suppressed_reason
        from summed
    )

select *
from final
