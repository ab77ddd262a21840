{%- set z = var("z_score") -%}
with
    claims as (select * from {{ ref("claims") }}),

    ratios as (select * from {{ ref("int_loyalty__claim_ratios") }}),

    proportions as (select * from {{ ref("int_loyalty__claim_proportions") }}),

    means as (select * from {{ ref("int_loyalty__claim_means") }}),

    profit_shares as (select * from {{ ref("int_loyalty__claim_profit_shares") }}),

    stage_trend as (select * from {{ ref("int_loyalty__claim_stage_trend") }}),

    figures as (
        select
            source,
            survey_id,
            claim_id,
            variant,
            {{ div("upper_term", "lower_term") }} as observed_value,
            {{ div("upper_term", "lower_term") }} * exp(
                -{{ z }} * sqrt({{ div("variance_term", "upper_term * lower_term") }})
            ) as observed_low,
            {{ div("upper_term", "lower_term") }} * exp(
                {{ z }} * sqrt({{ div("variance_term", "upper_term * lower_term") }})
            ) as observed_high,
            upper_count + lower_count as base_count,
            case
                when upper_count < lower_count then upper_count else lower_count
            end as smallest_count,
            is_corrected,
            -- a probability is at most 1
            {{ div("lower_count", "lower_hits") }} as highest_possible_value
        from ratios
        union all
        select
            source,
            survey_id,
            claim_id,
            variant,
            observed_value,
            {{ wilson_low("observed_value", "base_count") }},
            {{ wilson_high("observed_value", "base_count") }},
            base_count,
            base_count,
            false,
            null
        from proportions
        {% for relation, smallest, scope in [
                ("means", "base_count", "source, survey_id"),
                ("profit_shares", "base_count", "'all', 'all'"),
                ("stage_trend", "smallest_count", "'all', 'all'"),
            ] %}
            union all
            select
                {{ scope }},
                claim_id,
                variant,
                observed_value,
                observed_value - {{ z }} * standard_error,
                observed_value + {{ z }} * standard_error,
                base_count,
                {{ smallest }},
                false,
                null
            from {{ relation }}
        {% endfor %}
    ),

    -- a claim without a figure has its row among all
    measured as (
        select 'all' as source, 'all' as survey_id, claim_id, variant
        from claims
        union
        select source, survey_id, claim_id, variant
        from figures
    ),

    final as (
        select
            measured.source,
            measured.survey_id,
            claims.*,
            figures.observed_value,
            figures.observed_low,
            figures.observed_high,
            coalesce(figures.base_count, 0) as base_count,
            coalesce(figures.smallest_count, 0) as smallest_count,
            coalesce(figures.is_corrected, false) as is_corrected,
            figures.highest_possible_value,
            coalesce(figures.smallest_count, 0) < {{ var("min_base") }} as is_suppressed
        from measured
        inner join claims using (claim_id, variant)
        left join figures using (source, survey_id, claim_id, variant)
    )

select *
from final
