{# What changes between waves are bootstrapped on: people by their answer in a wave and in the one before. #}
{%- set measures = {
    "index": "satisfaction_index",
    "top_box": "case when is_top_box then 1 when not is_top_box then 0 end",
    "nps": "case nps_class when 'promoter' then 100 when 'passive' then 0 when 'detractor' then -100 end",
} -%}
{%- set family = "source, survey_id, wave, respondent_type, segment_by, segment" -%}
with
    memberships as (select * from {{ ref("stat_satisfaction__memberships") }}),

    results as (
        select *
        from {{ ref("fct_survey_results") }}
        -- respondents without a key are in one wave only
        where not is_duplicate and customer_key is not null
    ),

    waves as (
        select source, survey_id, wave, wave_number from {{ ref("dim_survey_waves") }}
    ),

    measured as (
        {% for name, measure in measures.items() %}
            select
                results.source,
                results.survey_id,
                waves.wave_number,
                results.respondent_type,
                memberships.segment_by,
                memberships.segment,
                results.customer_key,
                '{{ name }}' as measure,
                cast({{ measure }} as decimal(12, 4)) as answer
            from results
            inner join memberships on results.response_key = memberships.response_key
            inner join waves using (source, survey_id, wave)
            where {{ measure }} is not null
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    -- one row per person and pair of waves, with the answers of both
    paired as (
        select measured.*, waves.wave, 'after' as side
        from measured
        inner join waves using (source, survey_id, wave_number)
        where waves.wave_number > 1
        union all
        select measured.*, waves.wave, 'before' as side
        from measured
        inner join
            waves
            on measured.source = waves.source
            and measured.survey_id = waves.survey_id
            and measured.wave_number + 1 = waves.wave_number
    ),

    joined as (
        select
            {{ family }},
            measure,
            customer_key,
            max(case when side = 'before' then answer end) as answer_before,
            max(case when side = 'after' then answer end) as answer_after
        from paired
        group by {{ family }}, measure, customer_key
    ),

    final as (
        select
            {{ family }}, measure, answer_before, answer_after, count(*) as person_count
        from joined
        group by {{ family }}, measure, answer_before, answer_after
    )

select *
from final
