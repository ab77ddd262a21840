{# Claims about a share: so many of so many. What is unknown counts in neither. #}
with
    tickets as (
        select
            *,
            case
                when has_bought_again then 1 when not has_bought_again then 0
            end as bought,
            case
                when has_bought_after_resolution
                then 1
                when not has_bought_after_resolution
                then 0
            end as bought_after_resolution
        from {{ ref("fct_ticket_outcomes") }}
        where is_complaint and customer_key is not null
    ),

    said as (
        select *
        from {{ ref("int_loyalty__claim_experiences") }}
        where has_complained is not null
    ),

    loyalty as (
        select *
        from {{ ref("int_loyalty__customer_loyalty") }}
        where is_behaviour_high and is_attitude_high is not null
    ),

    cases as (
        {% for claim, severity in [
            ("major_complaint_4", "major"),
            ("minor_complaint_53", "minor"),
        ] %}
            select
                source,
                'all' as survey_id,
                '{{ claim }}' as claim_id,
                'landmark' as variant,
                bought as hit
            from tickets
            where severity = '{{ severity }}' and speed in ('fast', 'slow')
            union all
            select
                source, 'all', '{{ claim }}', 'from resolution', bought_after_resolution
            from tickets
            where severity = '{{ severity }}'
            union all
            select source, 'all', 'quick_complaint_52_95', '{{ severity }}', bought
            from tickets
            where severity = '{{ severity }}' and speed = 'fast'
            union all
        {% endfor %}
        select source, 'all', 'quick_complaint_52_95', 'all', bought
        from tickets
        where speed = 'fast'
        union all
        select
            source,
            survey_id,
            'one_in_25_complains',
            'dissatisfied',
            case when has_complained then 1 else 0 end
        from said
        where satisfaction_class = 'dissatisfied'
        union all
        select
            source,
            survey_id,
            'one_in_25_complains',
            'had a problem',
            case when has_complained then 1 else 0 end
        from said
        where has_problem
        union all
        select
            'all',
            'all',
            'no_behaviour_without_attitude',
            'all',
            case when is_attitude_high then 0 else 1 end
        from loyalty
    ),

    -- tickets of one source, and of all
    scoped as (
        select *
        from cases
        union all
        select 'all', survey_id, claim_id, variant, hit
        from cases
        where survey_id = 'all' and source != 'all'
    ),

    final as (
        select
            source,
            survey_id,
            claim_id,
            variant,
            count(*) as base_count,
            sum(hit) as hit_count,
            {{ div("sum(hit)", "count(*)") }} as observed_value
        from scoped
        where hit is not null
        group by source, survey_id, claim_id, variant
    )

select *
from final
