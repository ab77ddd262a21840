{# The verdict on each fit: did it converge, and how near are its predictions to data that it did not use? Thresholds are vars. #}
with
    fits as (select * from {{ source("estimates", "fits") }}),

    checks as (select * from {{ source("estimates", "checks") }}),

    gathered as (
        select
            checks.model,
            checks.scope,
            checks.check_name,
            checks.part,
            checks.rule,
            checks.base_count,
            checks.observed,
            checks.expected,
            checks.low,
            checks.high,
            fits.status,
            fits.reason,
            checks.as_of as fit_date
        from checks
        inner join fits using (model, scope)
    ),

    measured as (
        select
            *,
            case
                rule
                when 'ratio'
                then {{ var("model_tolerance") }}
                when 'probability'
                then {{ var("probability_tolerance") }}
                when 'correlation'
                then {{ var("correlation_limit") }}
                when 'share'
                then {{ var("min_effective_share") }}
                when 'convergence'
                then 1
            end as threshold
        from gathered
    ),

    final as (
        select
            {{ made_key(["model", "scope", "check_name", "part"]) }} as check_key,
            *,
            case
                when status <> 'fitted'
                then 'cannot tell'
                when rule in ('convergence', 'share')
                then case when observed >= threshold then 'passes' else 'fails' end
                when
                    base_count < {{ var("min_base") }}
                    or observed is null
                    or expected is null
                then 'cannot tell'
                when rule = 'probability'
                then
                    case
                        when expected between low - threshold and high + threshold
                        then 'passes'
                        else 'fails'
                    end
                when rule = 'correlation' and abs(observed - expected) <= threshold
                then 'passes'
                when
                    rule = 'ratio'
                    and abs(observed - expected) <= threshold * abs(expected)
                then 'passes'
                -- too far off, but perhaps by chance
                when expected between low and high
                then 'cannot tell'
                else 'fails'
            end as verdict
        from measured
    )

select *
from final
